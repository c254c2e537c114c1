import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createPartBuffers, type PutBuffers } from '../../../src/storage/s3/part-buffers.ts';

const partBytes = 64;
const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the memory for parts', () => {
  test('a put alone has all shared parts, and waits for nothing but its own', async () => {
    const put = createPartBuffers(partBytes, 3).open();
    const parts = [await put.take(), await put.take(), await put.take()];
    let fourth: Buffer | undefined;
    const waiting = put.take().then((bytes) => {
      fourth = bytes;
    });
    await soon();
    assert.equal(fourth, undefined);
    put.give(parts[1]!, true);
    await waiting;
    assert.equal(fourth!.buffer, parts[1]!.buffer, 'used again');
  });

  test('one part is every put’s own, whatever the others hold', async () => {
    const buffers = createPartBuffers(partBytes, 2);
    const greedy = buffers.open();
    await Promise.all([greedy.take(), greedy.take()]);
    for (let others = 0; others < 20; others += 1) assert.equal((await buffers.open().take()).byteLength, partBytes);
  });

  test('puts together have no more than one alone, beyond their own', async () => {
    const buffers = createPartBuffers(partBytes, 3);
    const puts = Array.from({ length: 3 }, () => buffers.open());
    const parts = await Promise.all(puts.map((put) => put.take()));
    let more = 0;
    for (const put of puts) void put.take().then(() => more++);
    await soon();
    assert.equal(more, 0);
    puts[0]!.give(parts[0]!, true);
    await soon();
    assert.equal(more, 1);
  });

  test('a put that gives its only part back waits for nothing, and nobody takes what it may take', async () => {
    const buffers = createPartBuffers(partBytes, 2);
    const [first, second] = [buffers.open(), buffers.open()];
    const [, part] = [await first.take(), await second.take()];
    const came: string[] = [];
    for (const [name, put] of Object.entries({ first, second })) void put.take().then(() => came.push(name));
    second.give(part, true);
    await soon();
    assert.deepEqual(came, ['second']);
    second.close();
    await soon();
    assert.deepEqual(came, ['second', 'first']);
  });

  test('puts that begin together have no more than their own beside what is shared, whoever comes first', async () => {
    for (const count of [2, 4, 5, 7]) {
      const buffers = createPartBuffers(partBytes, 5);
      const puts = Array.from({ length: count }, () => buffers.open());
      let taken = 0;
      for (const put of puts) for (let more = 0; more < 5; more += 1) void put.take().then(() => taken++);
      await soon();
      assert.equal(taken, Math.max(5, count), `${count}`);
    }
  });

  test('what is set aside for a put is free when the put ends without it, and nothing is for one that is short', async () => {
    const buffers = createPartBuffers(partBytes, 2);
    const [put, other] = [buffers.open(), buffers.open(partBytes)];
    for (let short = 0; short < 5; short += 1) buffers.open(partBytes - 1);
    let taken = 0;
    for (let more = 0; more < 2; more += 1) void put.take().then(() => taken++);
    await soon();
    assert.equal(taken, 1);
    other.close();
    other.close();
    await soon();
    assert.equal(taken, 2);
    void put.take().then(() => taken++);
    await soon();
    assert.equal(taken, 2);
  });

  test('what a request may still read is never handed out again, and makes room all the same', async () => {
    const put = createPartBuffers(partBytes, 1).open();
    const seen = new Set<ArrayBufferLike>();
    for (let round = 0; round < 20; round += 1) {
      const bytes = await put.take();
      assert.ok(!seen.has(bytes.buffer));
      seen.add(bytes.buffer);
      put.give(bytes, false);
    }
  });

  test('the same part given back twice, or by another put, or not from here, makes no room', async () => {
    const buffers = createPartBuffers(partBytes, 3);
    const [one, other] = [buffers.open(), buffers.open()];
    const bytes = await one.take();
    const held = await one.take();
    other.give(bytes, true);
    one.give(Buffer.alloc(partBytes), true);
    one.give(bytes, true);
    one.give(bytes, true);
    await one.take();
    await other.take();
    let more = false;
    void other.take().then(() => {
      more = true;
    });
    await soon();
    assert.equal(more, false, 'the shared parts are taken');
    one.give(held, true);
    await soon();
    assert.equal(more, true);
  });

  test('a put that gives its only part back leaves no more shared ones than there were', async () => {
    const buffers = createPartBuffers(partBytes, 2);
    const put = buffers.open();
    for (let round = 0; round < 5; round += 1) put.give(await put.take(), true);
    await Promise.all([put.take(), put.take()]);
    let third = false;
    void put.take().then(() => {
      third = true;
    });
    await soon();
    assert.equal(third, false);
  });

  test('keeps little when nobody needs it: some parts, and fewer where they are large', async () => {
    for (const [size, kept] of [
      [partBytes, 5],
      [33_554_432, 2],
      [134_217_728, 0],
    ] as const) {
      const buffers = createPartBuffers(size, 8);
      const put = buffers.open();
      const parts = await Promise.all(Array.from({ length: 8 }, () => put.take()));
      for (const part of parts) put.give(part, true);
      put.close();
      const before = new Set(parts.map(({ buffer }) => buffer));
      const again = buffers.open();
      const after = await Promise.all(Array.from({ length: 8 }, () => again.take()));
      assert.equal(after.filter(({ buffer }) => before.has(buffer)).length, kept, `${size}`);
    }
  });

  test('with any puts that take, give and end, no memory has two owners, all of it is bounded, and in the end all is there again', async () => {
    const step = fc.record({ put: fc.nat(3), kind: fc.constantFrom('take', 'give', 'give dirty', 'end') });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 80 }), async (sharedParts, steps) => {
        const buffers = createPartBuffers(partBytes, sharedParts);
        const open = (): Put => ({ own: buffers.open(), held: [], waiting: undefined });
        const puts = Array.from({ length: 4 }, open);
        const dirty = new Set<ArrayBufferLike>();
        const check = (): void => {
          const all = puts.flatMap(({ held }) => held.map(({ buffer }) => buffer));
          assert.equal(new Set(all).size, all.length, 'one owner');
          assert.ok(all.every((memory) => !dirty.has(memory)));
          assert.ok(all.length < sharedParts + puts.length);
          const without = puts.filter(({ held }) => held.length === 0).length;
          for (const { held, waiting } of puts)
            assert.ok(waiting === undefined || (held.length > 0 && all.length + without >= sharedParts), 'waits for no reason');
        };
        for (const { put: index, kind } of steps) {
          const put = puts[index]!;
          if (kind === 'take' && put.waiting === undefined) {
            put.waiting = put.own.take().then((bytes) => {
              put.held.push(bytes);
              put.waiting = undefined;
            });
          } else if (kind === 'end' && put.waiting === undefined) {
            put.own.close();
            for (const { buffer } of put.held) dirty.add(buffer);
            puts[index] = open();
          } else if (kind.startsWith('give') && put.held.length > 0) {
            const bytes = put.held.shift()!;
            if (kind === 'give dirty') dirty.add(bytes.buffer);
            put.own.give(bytes, kind === 'give');
          }
          await soon();
          check();
        }
        // Giving back all that a put has ends its waiting.
        for (const put of puts) {
          for (const bytes of put.held.splice(0)) put.own.give(bytes, true);
          await put.waiting;
          put.own.close();
        }
        const last = buffers.open();
        await Promise.all(Array.from({ length: sharedParts }, () => last.take()));
      }),
      { numRuns: 200 },
    );
  });
});

interface Put {
  readonly own: PutBuffers;
  readonly held: Buffer[];
  waiting: Promise<void> | undefined;
}

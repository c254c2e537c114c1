import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { gatherParts } from '../../../src/storage/s3/gather-parts.ts';
import { createPartBuffers } from '../../../src/storage/s3/part-buffers.ts';

/**
 * Chunks of the given lengths, again and again; each is overwritten once the next one is asked for, as a source may do.
 */
async function* cut(bytes: Uint8Array, lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (let first = 0, turn = 0; first < bytes.byteLength; turn++) {
    const chunk = Uint8Array.prototype.slice.call(bytes, first, first + lengths[turn % lengths.length]!);
    yield chunk;
    first += chunk.byteLength;
    chunk.fill(0xee);
  }
}

describe('gathering parts', () => {
  test('any bytes in any chunks come out the same, in whole parts and a rest, with one part of memory', async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.nat(20_000), fc.integer({ min: 1, max: 3000 }), lengths, fc.boolean(), async (length, size, chunks, told) => {
        const bytes = randomBytes(length);
        const buffers = createPartBuffers(size, 1).open();
        const came: Buffer[] = [];
        const last: boolean[] = [];
        for await (const part of gatherParts(cut(bytes, chunks), size, told ? length : undefined, buffers)) {
          came.push(Buffer.from(part.bytes));
          last.push(part.last);
          buffers.give(part.bytes, true);
        }
        assert.ok(Buffer.concat(came).equals(bytes));
        assert.equal(came.length, Math.ceil(length / size));
        assert.ok(came.slice(0, -1).every((part) => part.byteLength === size));
        assert.deepEqual(
          last,
          came.map((_, index) => index === came.length - 1),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('a short source takes no whole part, known or not', async () => {
    for (const expected of [undefined, 1000]) {
      const buffers = createPartBuffers(8_388_608, 1).open();
      const parts = await Array.fromAsync(gatherParts(cut(randomBytes(1000), [300]), 8_388_608, expected, buffers));
      assert.equal(parts.length, 1);
      assert.ok(parts[0]!.bytes.buffer.byteLength <= 65_536);
    }
  });

  test('a source of unknown length keeps what it had when its memory grows', async () => {
    for (const length of [65_537, 300_000, 1_048_576, 1_048_577]) {
      const bytes = randomBytes(length);
      const buffers = createPartBuffers(1_048_576, 2).open();
      const parts = await Array.fromAsync(gatherParts(cut(bytes, [50_000]), 1_048_576, undefined, buffers), (part) => part.bytes);
      assert.ok(Buffer.concat(parts).equals(bytes), `${length}`);
    }
  });

  test('a part keeps its bytes until it is given back, while the next ones fill', async () => {
    const size = 1000;
    const bytes = randomBytes(10 * size + 1);
    const buffers = createPartBuffers(size, 4).open();
    const held: Buffer[] = [];
    let at = 0;
    for await (const part of gatherParts(cut(bytes, [777]), size, undefined, buffers)) {
      held.push(part.bytes);
      if (held.length < 4 && !part.last) continue;
      for (const each of held.splice(0)) {
        assert.ok(each.equals(bytes.subarray(at, at + each.byteLength)));
        at += each.byteLength;
        buffers.give(each, true);
      }
    }
    assert.equal(at, bytes.byteLength);
  });

  test('given up in the middle, it ends the source', async () => {
    let ended = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield randomBytes(10);
      } finally {
        ended = true;
      }
    }
    const parts = gatherParts(source(), 25, undefined, createPartBuffers(25, 1).open());
    await parts.next();
    await parts.return(undefined);
    assert.ok(ended);
  });
});

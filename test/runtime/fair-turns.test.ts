import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shareOfAddress } from '../../src/http/shares.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { createFairTurns } from '../../src/runtime/fair-turns.ts';

const bounds = { what: 'writes', room: 4, waitingOfOne: 100, waitMilliseconds: 10_000 };

/** Work that ends when it is told to; `begun` has it in the order in which it began. */
function workshop(changed: Partial<typeof bounds> = {}) {
  const turns = createFairTurns({ ...bounds, ...changed });
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  return {
    begun,
    ask: (principal: string, weight = 1) =>
      turns.take(principal, weight, async () => {
        begun.push(`${principal}${weight}`);
        await new Promise<void>((resolve) => ends.push(resolve));
      }),
    async endNext(count = 1) {
      for (const end of ends.splice(0, count)) end();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test('while there is room everybody begins at once', () => {
  const { ask, begun } = workshop();
  void ask('a');
  void ask('a', 2);
  void ask('b');
  void ask('b');
  assert.deepEqual(begun, ['a1', 'a2', 'b1']);
});

test('one piece of somebody is not behind the hundred that another has waiting', async () => {
  const { ask, begun, endNext } = workshop();
  for (let index = 0; index < 100; index++) void ask('many');
  void ask('one');
  void ask('two');
  await endNext();
  await endNext();
  await endNext();
  assert.deepEqual(begun.slice(4), ['many1', 'one1', 'two1']);
});

test('somebody with a name is not behind those who have many addresses', async () => {
  const { ask, begun, endNext } = workshop({ room: 1 });
  const strangers = Array.from({ length: 20 }, (_, index) => shareOfAddress(`127.0.0.${index}`));
  for (let piece = 0; piece < 2; piece++) for (const stranger of strangers) void ask(stranger);
  void ask('one');
  void ask('one');
  for (let ended = 0; ended < 5; ended++) await endNext();
  assert.deepEqual(begun, ['address 127.0.0.01', 'address 127.0.0.11', 'one1', 'address 127.0.0.21', 'one1', 'address 127.0.0.31']);
});

test('a piece that is larger than the room runs alone, and small ones of others do not keep it out for ever', async () => {
  const { ask, begun, endNext } = workshop();
  void ask('small', 4);
  void ask('large', 1000);
  for (let index = 0; index < 5; index++) void ask('small', 4);
  await endNext();
  assert.deepEqual(begun, ['small4', 'large1000']);
  await endNext();
  assert.deepEqual(begun.slice(2), ['small4']);
});

test('what fails gives its room to the next, and its error to who asked', async () => {
  const turns = createFairTurns({ ...bounds, room: 1 });
  const first = turns.take('a', 1, () => Promise.reject(new Error('mine')));
  const second = turns.take('a', 1, async () => 'done');
  await assert.rejects(first, /mine/);
  assert.equal(await second, 'done');
  // Also where it throws before it is asynchronous.
  await assert.rejects(
    turns.take('a', 1, () => {
      throw new Error('at once');
    }),
    /at once/,
  );
  assert.equal(await turns.take('a', 1, async () => 'next'), 'next');
});

test('beyond its bound a principal is refused, and others are not', async () => {
  const { ask, endNext } = workshop({ room: 1, waitingOfOne: 2 });
  void ask('a');
  void ask('a');
  void ask('a');
  await assert.rejects(
    ask('a'),
    (error) => isArtifactstoreError(error, 'too_busy') && error.info?.bound === 'waiting_of_one' && error.info.limit === 2,
  );
  const other = ask('b');
  await endNext();
  await endNext();
  await endNext();
  await endNext();
  await other;
});

test('what waits too long is refused, and never begun', async () => {
  const { ask, begun, endNext } = workshop({ room: 1, waitMilliseconds: 20 });
  const alive = setTimeout(() => undefined, 5_000);
  void ask('a');
  await assert.rejects(ask('b'), (error) => isArtifactstoreError(error, 'too_busy') && /0\.02 seconds/.test(error.message));
  clearTimeout(alive);
  await endNext();
  assert.deepEqual(begun, ['a1']);
  void ask('c');
  assert.deepEqual(begun, ['a1', 'c1']);
});

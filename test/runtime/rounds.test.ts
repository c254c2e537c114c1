import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRounds } from '../../src/runtime/rounds.ts';

test('a task starts at once when nothing runs, and the next round takes all who waited', async () => {
  const rounds = createRounds();
  const started: string[] = [];
  const gates = new Map<string, () => void>();
  const task = (name: string) =>
    rounds(async () => {
      started.push(name);
      await new Promise<void>((resolve) => gates.set(name, resolve));
    });
  const first = task('a');
  assert.deepEqual(started, ['a']);
  const others = ['b', 'c', 'd'].map(task);
  assert.deepEqual(started, ['a']);
  gates.get('a')!();
  await first;
  await new Promise(setImmediate);
  assert.deepEqual(started, ['a', 'b', 'c', 'd']);
  const late = task('e');
  gates.get('c')!();
  await others[1];
  assert.equal(started.length, 4);
  for (const name of ['b', 'd']) gates.get(name)!();
  await Promise.all(others);
  await new Promise(setImmediate);
  gates.get('e')!();
  await late;
  assert.deepEqual(started, ['a', 'b', 'c', 'd', 'e']);
});

test('a task that fails hurts no other, in its round or after', async () => {
  const rounds = createRounds();
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      rounds(async () => {
        await new Promise(setImmediate);
        if (index % 3 === 0) throw new Error(`task ${index}`);
      }),
    ),
  );
  results.forEach((result, index) => {
    assert.equal(result.status, index % 3 === 0 ? 'rejected' : 'fulfilled');
  });
  await rounds(async () => undefined);
});

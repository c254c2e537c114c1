import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Operations, SetForm, Transaction } from '../../src/database/DATABASE.ts';
import { runSet, type Task, takeSet } from '../../src/database/sets.ts';
import { chainStart, type LogHead } from '../../src/kernel/log/event.ts';

const set: SetForm<number, number> = { weigh: (input) => input, run: async (_, inputs) => inputs.map((output) => ({ output })) };
const alone = async (_: Transaction, input: number): Promise<number> => input;
const operations: Operations = { writes: { many: Object.assign(alone.bind(null), { set }), other: alone }, reads: {} };
const taskOf = (task: Task | undefined): Task | undefined => task;
const many = (input: number): Task => ({ name: 'many', input });
const other: Task = { name: 'other', input: 1 };

test('takes what waits for the same operation, wherever it is, and leaves the rest in order', () => {
  const queue = [many(1), other, many(2), { ...other, input: 2 }, many(3)];
  assert.deepEqual(takeSet(queue, operations, taskOf), [many(1), many(2), many(3)]);
  assert.deepEqual(queue, [other, { ...other, input: 2 }]);
  assert.deepEqual(takeSet(queue, operations, taskOf), [other]);
  assert.deepEqual(takeSet(queue, operations, taskOf), [{ ...other, input: 2 }]);
  assert.deepEqual(queue, []);
});

test('takes nothing from behind what is run alone', () => {
  const queue = [many(1), undefined, many(2)];
  assert.deepEqual(takeSet(queue, operations, taskOf), [many(1)]);
  assert.deepEqual(takeSet(queue, operations, taskOf), [undefined]);
  assert.deepEqual(queue, [many(2)]);
});

test('takes so many, and as much as a set may weigh, but one of any weight', () => {
  const light = Array.from({ length: 300 }, () => many(0));
  assert.equal(takeSet(light, operations, taskOf).length, 256);
  assert.equal(light.length, 44);
  const heavy = [many(5_000), many(600), other, many(400), many(1), many(0)];
  assert.deepEqual(takeSet(heavy, operations, taskOf), [many(5_000)]);
  assert.deepEqual(takeSet(heavy, operations, taskOf), [many(600), many(400)]);
  assert.deepEqual(heavy, [other, many(1), many(0)]);
});

test('a set without an outcome for each input is undone', async () => {
  const head: LogHead = { sequence: 0, chain_digest: chainStart };
  const other: LogHead = { sequence: 7, chain_digest: chainStart };
  const undone: unknown[] = [];
  const heads: LogHead[] = [];
  const short = Object.assign(alone.bind(null), { set: { ...set, run: async () => [{ output: 1 }] } });
  const ran = await runSet(short, [1, 2], head, async (from, body) => {
    heads.push(from);
    try {
      return { head: from, outcome: { output: await body({} as Transaction) } };
    } catch (error) {
      undone.push(error);
      return { head: other, outcome: { error } };
    }
  });
  assert.deepEqual(heads, [head, other, other], 'what follows is on top of what the log is then');
  assert.deepEqual(ran.outcomes, [{ output: 1 }, { output: 2 }]);
  assert.match(String(undone), /^TypeError: a set of 2 inputs has 1 outcomes$/);
});

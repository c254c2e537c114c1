import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginRunning, type RunningDigests } from '../../../src/dataplane/hashing/running.ts';
import { createHashStates, type StateKey } from '../../../src/dataplane/segments/hash-states.ts';

const keyOf = (uploadId: string, bytes = 3, mark = '1-3-1'): StateKey => ({
  ...{ uploadId, backendId: 'local', mark },
  segment: { name: `upload-${uploadId}-1`, bytes },
});

async function stateOf(bytes: number): Promise<RunningDigests> {
  const state = beginRunning(['sha256'], bytes, undefined);
  await state.update(Buffer.alloc(bytes));
  return state;
}

test('a state is found once, for its own upload, segment, length and file only', async () => {
  const states = createHashStates();
  const key = keyOf('a');
  const others: readonly StateKey[] = [
    keyOf('b'),
    { ...key, backendId: 'other' },
    { ...key, segment: { ...key.segment, name: 'upload-a-2' } },
    keyOf('a', 4),
    keyOf('a', 3, '1-3-2'),
  ];
  for (const other of others) {
    states.keep(key, await stateOf(3));
    assert.equal(states.take(other), undefined, JSON.stringify(other));
  }
  const state = await stateOf(3);
  states.keep(key, state);
  assert.equal(states.take(key), state);
  assert.equal(states.take(key), undefined);
  states.keep(key, await stateOf(4));
  assert.equal(states.take(key), undefined, 'a state that has seen other bytes');
});

test('states make room, those first that were used longest ago, and leave in time', async () => {
  const states = createHashStates(2);
  for (const id of ['a', 'b']) states.keep(keyOf(id), await stateOf(3));
  states.keep(keyOf('a'), states.take(keyOf('a'))!);
  states.keep(keyOf('c'), await stateOf(3));
  assert.deepEqual(
    ['a', 'b', 'c'].map((id) => states.take(keyOf(id)) !== undefined),
    [true, false, true],
  );
  const brief = createHashStates(2, -1);
  brief.keep(keyOf('a'), await stateOf(3));
  assert.equal(brief.take(keyOf('a')), undefined);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/database/clock.ts';

test('ids are in the order in which they were made, many in a millisecond', () => {
  for (let round = 0; round < 20; round++) {
    const ids = Array.from({ length: 100 }, () => systemClock.newId());
    assert.deepEqual(ids.toSorted(), ids);
    assert.ok(new Set(ids.map((id) => id.slice(0, 13))).size < ids.length, 'some are of one millisecond');
  }
});

test('no two ids of a millisecond have the same end', () => {
  const ids = Array.from({ length: 1000 }, () => systemClock.newId());
  assert.equal(new Set(ids.map((id) => id.slice(19))).size, ids.length);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { allOf } from '../../src/runtime/all-of.ts';

test('waits for work that is slower than what fails, and throws what is first in the list', async () => {
  let ended = false;
  const slow = delay(5).then(() => {
    ended = true;
    throw new Error('slow');
  });
  await assert.rejects(allOf([undefined, slow, Promise.reject(new Error('quick'))]), /slow/);
  assert.ok(ended);
  await allOf([delay(1), undefined]);
});

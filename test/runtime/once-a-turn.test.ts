import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { onceATurn } from '../../src/runtime/once-a-turn.ts';

test('looks once for all of a turn, after the last of them has asked', async () => {
  let now = 1;
  let looks = 0;
  const ask = onceATurn(() => {
    looks += 1;
    return now;
  });
  const asked = [ask(), ask()];
  await Promise.resolve();
  now = 2;
  asked.push(ask());
  assert.deepEqual(await Promise.all(asked), [2, 2, 2]);
  assert.equal(looks, 1);
  now = 3;
  assert.equal(await ask(), 3);
});

test('tells all of a turn of a failure, and looks again in the next', async () => {
  let fails = true;
  const ask = onceATurn(() => {
    if (fails) throw new Error('nothing to see');
    return 'seen';
  });
  const asked = [ask(), ask()];
  for (const each of asked) await assert.rejects(each, /nothing to see/);
  await setImmediate();
  fails = false;
  assert.equal(await ask(), 'seen');
});

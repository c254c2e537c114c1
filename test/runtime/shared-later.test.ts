import assert from 'node:assert/strict';
import test from 'node:test';
import { sharedLater } from '../../src/runtime/shared-later.ts';

test('whoever asks while it runs shares one later run, which begins after the asking', async () => {
  let begun = 0;
  const gates: (() => void)[] = [];
  const ask = sharedLater(async () => {
    begun += 1;
    const mine = begun;
    await new Promise<void>((resolve) => gates.push(resolve));
    return mine;
  });
  const first = ask();
  const [second, third] = [ask(), ask()];
  assert.equal(begun, 1);
  gates[0]?.();
  assert.equal(await first, 1);
  while (gates.length < 2) await new Promise(setImmediate);
  gates[1]?.();
  assert.deepEqual(await Promise.all([second, third]), [2, 2]);
  assert.equal(begun, 2);
});

test('a run that fails is told to those who asked for it, and not to the next', async () => {
  let begun = 0;
  const ask = sharedLater(async () => {
    begun += 1;
    if (begun === 1) throw new Error('no');
    return 'yes';
  });
  const [first, later] = [ask(), ask()];
  await assert.rejects(first, /no/);
  assert.equal(await later, 'yes');
});

import assert from 'node:assert/strict';
import { isArtifactstoreError } from '../../kernel/error.ts';
import { assertReplayable, type Check, type ConformanceDatabase } from './cases.ts';
import type { ClaimedKey, ClaimKey } from './set-operations.ts';

export function setCases(check: Check): void {
  check('runs at once what waits for one operation, and each input has its own outcome', async (database) => {
    const keys = Array.from({ length: 60 }, (_, index) => `key ${index % 50}`);
    const outcomes = await whileItWaits(
      database,
      keys.map((key) => ({ key, kind: 'good' })),
    );
    const claimed = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    assert.equal(claimed.length, 50);
    assert.ok(Math.max(...claimed.map(({ together }) => together)) > 10, 'what waited ran at once');
    outcomes.forEach((outcome, index) => {
      if (outcome.status === 'fulfilled') return;
      assert.ok(isArtifactstoreError(outcome.reason, 'idempotency_conflict'), String(outcome.reason));
      assert.equal(outcome.reason.field, keys[index]);
    });
    const sequences = claimed.map(({ sequence }) => sequence);
    assert.deepEqual(
      sequences.toSorted((a, b) => a - b),
      Array.from({ length: 50 }, (_, index) => index + 401),
    );
    await assertReplayable(database);
  });

  check('undoes a set that a statement fails in, and runs each of its inputs alone', async (database) => {
    const outcomes = await whileItWaits(
      database,
      Array.from({ length: 40 }, (_, index) => ({ key: `key ${index}`, kind: index === 20 ? 'broken' : 'good' })),
    );
    outcomes.forEach((outcome, index) => {
      if (index === 20) assert.ok(outcome.status === 'rejected' && isArtifactstoreError(outcome.reason, 'internal'));
      else assert.equal(outcome.status, 'fulfilled');
    });
    const claimed = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.sequence] : []));
    assert.deepEqual(
      claimed.toSorted((a, b) => a - b),
      Array.from({ length: 39 }, (_, index) => index + 401),
    );
    // What the set had inserted is gone with it.
    assert.equal((await database.write('claimKey', { key: 'key 20', kind: 'good' })).sequence, 440);
    await assertReplayable(database);
  });

  check('undoes a set whose rows are refused at its end, and nothing that waits behind it is lost', async (database) => {
    await database.write('claimKey', { key: 'taken', kind: 'good' });
    const before = database.write('addPackages', { count: 400 });
    const claiming = Array.from({ length: 20 }, (_, index) =>
      database.write('claimKey', index === 10 ? { key: 'taken', kind: 'unseen' } : { key: `key ${index}`, kind: 'good' }),
    );
    const behind = Array.from({ length: 5 }, () => database.write('addPackages', { count: 1 }));
    const outcomes = await Promise.allSettled(claiming);
    outcomes.forEach((outcome, index) => {
      if (index === 10) assert.ok(outcome.status === 'rejected' && isArtifactstoreError(outcome.reason, 'internal'));
      else assert.equal(outcome.status, 'fulfilled', String((outcome as PromiseRejectedResult).reason));
    });
    const claimed = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.sequence] : []));
    const sequences = [1, ...claimed, ...(await before), ...(await Promise.all(behind)).flat()];
    assert.deepEqual(
      sequences.toSorted((a, b) => a - b),
      Array.from({ length: 1 + 400 + 19 + 5 }, (_, index) => index + 1),
    );
    await assertReplayable(database);
  });

  check('runs no more at once than a set may weigh', async (database) => {
    const outcomes = await whileItWaits(
      database,
      Array.from({ length: 9 }, (_, index) => ({ key: `key ${index}`, kind: index % 3 === 0 ? 'heavy' : 'good' })),
    );
    for (const outcome of outcomes) assert.ok(outcome.status === 'fulfilled' && outcome.value.together <= 5);
  });
}

/** Sends all of them while a longer operation is under way. */
async function whileItWaits(
  database: ConformanceDatabase,
  inputs: readonly ClaimKey[],
): Promise<readonly PromiseSettledResult<ClaimedKey>[]> {
  const before = database.write('addPackages', { count: 400 });
  const outcomes = await Promise.allSettled(inputs.map((input) => database.write('claimKey', input)));
  await before;
  return outcomes;
}

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ArtifactstoreError, isArtifactstoreError } from '../../src/kernel/error.ts';
import { type Patience, untilAllowed, untilKnown } from '../../src/provider/propagation.ts';
import { missingPermission, unavailableProvider, unusableAuthority } from '../../src/provider/refusal.ts';

/** A clock of its own, which only waiting moves. */
function patience(): Patience {
  let time = 0;
  const wait = async (milliseconds: number): Promise<void> => {
    time += milliseconds;
  };
  return { everyMilliseconds: 2000, mostMilliseconds: 5000, now: () => time, wait };
}

describe('what a provider has not spread yet', () => {
  const unknown = unusableAuthority('unknown', 'The token is not known', 'wait');
  const forbidden = missingPermission('It cannot be done', 'a permission', 'add it');

  test('is asked for again while nobody is known or allowed, within the bound', async () => {
    for (const refusal of [unknown, forbidden]) {
      let asked = 0;
      const later = async (): Promise<string> => {
        asked += 1;
        if (asked < 3) throw refusal;
        return 'known';
      };
      assert.equal(await untilAllowed(patience(), later), 'known');
      asked = -99;
      await assert.rejects(untilAllowed(patience(), later), (error) => error === refusal);
      assert.equal(asked, -96, 'three times in five seconds');
    }
    const answers = [1, 1, 2];
    assert.equal(
      await untilKnown(
        patience(),
        async () => answers.shift(),
        (answer) => answer === 1,
      ),
      2,
    );
  });

  test('is not asked for by whoever was stopped, before or while waiting', async () => {
    for (const isBefore of [true, false]) {
      const stop = new AbortController();
      if (isBefore) stop.abort();
      let asked = 0;
      const wait = async (): Promise<void> => stop.abort();
      const failing = async (): Promise<never> => {
        asked += 1;
        throw forbidden;
      };
      await assert.rejects(untilAllowed({ ...patience(), wait, signal: stop.signal }, failing), (error) =>
        isArtifactstoreError(error, 'cancelled'),
      );
      assert.equal(asked, isBefore ? 0 : 1);
    }
  });

  test('is not waited for where an answer is none that changes', async () => {
    for (const fault of [
      'expired',
      'disabled',
      'address_restricted',
      'same_subject',
      'other_account',
      'malformed',
      'not_yet_valid',
    ] as const) {
      let asked = 0;
      const failing = async (): Promise<never> => {
        asked += 1;
        throw unusableAuthority(fault, 'It is so', 'do that');
      };
      await assert.rejects(untilAllowed(patience(), failing));
      assert.equal(asked, 1, fault);
    }
    for (const error of [unavailableProvider('there', 'hangs', 'look'), new ArtifactstoreError('internal', 'x'), new TypeError('x')]) {
      let asked = 0;
      const failing = async (): Promise<never> => {
        asked += 1;
        throw error;
      };
      await assert.rejects(untilAllowed(patience(), failing), (thrown) => thrown === error);
      assert.equal(asked, 1);
    }
  });
});

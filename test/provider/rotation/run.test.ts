import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { documentNames, writeCurrent } from '../../../src/provider/documents.ts';
import { planRotation } from '../../../src/provider/rotation/plan.ts';
import { openStepLog } from '../../../src/provider/rotation/steps.ts';
import { secretOf } from '../../../src/secrets/secret.ts';
import { withoutPatience } from '../without-patience.ts';
import { assertWhole } from './assert-whole.ts';
import { killedBehind, stateOf, stepsOf, writeByHand } from './meanwhile.ts';
import { memorySecrets } from './memory-secrets.ts';
import { openRotationPlace, type RotationPlace } from './rotation-place.ts';

async function plan(place: RotationPlace): Promise<Awaited<ReturnType<typeof planRotation>>> {
  const asked = place.request();
  try {
    return await planRotation(asked);
  } finally {
    await asked.provider.close();
  }
}

describe('what a rotation is about', () => {
  test('is said alike by the plan and by the run, for one that is finished', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    await killedBehind(place, 'flipped');
    const { generation, previous, resumes, steps } = await plan(place);
    assert.deepEqual([generation, previous, resumes], [2, 1, true]);
    const ending = ['wait 0 seconds', 'end the keys of generation 1, and take them out of the store'];
    assert.deepEqual(steps.slice(1), ['finish generation 2, which a run before did not end', ...ending]);
    const done = await place.rotate();
    assert.deepEqual([done.generation, done.previous, done.resumed, done.revoked.length], [2, 1, true, 2]);
    await assertWhole(place, 2);
  });

  test('is said without what is done already, where the keys are kept', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await killedBehind(place, 'persisted');
    const { steps } = await plan(place);
    assert.deepEqual(
      steps.slice(1).map((step) => step.split(/[ :]/)[0]),
      ['finish', 'prove', 'point', 'there'],
    );
    await place.rotate();
    await assertWhole(place, 1);
  });

  test('is another generation where the keys of the unfinished one were ended', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    await killedBehind(place, 'persisted');
    await place.revoke(2);
    const { generation, previous, resumes } = await plan(place);
    assert.deepEqual([generation, previous, resumes], [3, 1, false]);
    assert.equal((await stepsOf(place)).at(-1), '2 revoked: by `provider revoke`', 'a plan writes nothing');
    const done = await place.rotate();
    assert.deepEqual([done.generation, done.previous, done.resumed], [3, 1, false]);
    await assertWhole(place, 3);
  });

  test('ends the generation before the current one, where the current one was ended before it was done', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    await killedBehind(place, 'flipped');
    await place.revoke(2, { evenCurrent: true });
    assert.equal(await stateOf(place), 'current 2, unfinished 2, 1 kept, 2 ended');
    const { generation, previous } = await plan(place);
    assert.deepEqual([generation, previous], [3, 1]);
    const done = await place.rotate();
    assert.deepEqual([done.generation, done.previous, done.revoked.length], [3, 1, 2]);
    await assertWhole(place, 3);
    assert.equal(await stateOf(place), 'current 3, unfinished null, 1 ended, 2 ended, 3 current');
  });

  test('has a number that no run before had, also one that failed', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    const log = await openStepLog(place.secrets, Date.now);
    await log.add({ generation: 6, step: 'planned', bucket: 'artifacts', prefix: '' });
    await log.add({ generation: 6, step: 'failed' });
    assert.deepEqual([(await plan(place)).generation, (await place.rotate()).generation], [7, 7]);
    await assertWhole(place, 7);
    await writeByHand(place, documentNames.steps, secretOf('{"format":1,"steps":[]}'));
    assert.deepEqual([(await plan(place)).generation, (await place.rotate()).generation], [8, 8]);
    await assertWhole(place, 8);
    await writeByHand(place, documentNames.steps, secretOf('{"format":1,"steps":[]}'));
    await writeByHand(place, documentNames.current, writeCurrent({ generation: 8, withdrawn: [9] }));
    assert.deepEqual([(await plan(place)).generation, (await place.rotate()).generation], [10, 10]);
    await assertWhole(place, 10);
  });
});

describe('the overlap', () => {
  const hour = 3_600_000;

  /** A clock that only waiting moves. */
  function clock() {
    const state = { time: Date.now(), waited: 0 };
    const wait = async (milliseconds: number): Promise<void> => {
      state.time += milliseconds;
      state.waited += milliseconds;
    };
    return { state, now: () => state.time, patience: { ...withoutPatience(), wait } };
  }

  test('is not waited for again by the run that finishes, but for the rest of it', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    const { state, now, patience } = clock();
    const stop = new AbortController();
    const stopping = {
      ...patience,
      signal: stop.signal,
      async wait(milliseconds: number) {
        await patience.wait(milliseconds);
        if (state.waited >= hour / 4) stop.abort();
      },
    };
    const stopped = place.rotate({ overlapMilliseconds: hour, lifetimeMilliseconds: 9 * hour, patience: stopping, now });
    await assert.rejects(stopped, (error) => {
      assert.ok(isArtifactstoreError(error, 'cancelled'), String(error));
      assert.equal(error.message, 'Stopped. Generation 2 is the current one, and 1 is not ended yet.');
      assert.match(String(error.info?.hint), /^run `artifactstore provider rotate` again: it waits for the rest/);
      return true;
    });
    assert.equal(state.waited, hour / 4, 'a stop ends the waiting');
    assert.equal(place.api.minted().length, 4, 'both generations are good');
    assert.deepEqual([await stateOf(place), (await stepsOf(place)).at(-1)], ['current 2, unfinished 2, 1 kept, 2 current', '2 draining']);
    await place.rotate({ overlapMilliseconds: 7 * hour, patience, now });
    assert.equal(state.waited, hour);
    await assertWhole(place, 2);
    assert.equal((await stepsOf(place)).filter((step) => step === '2 draining').length, 1);
  });

  test('is waited for whole by every generation, whenever the one before it had its own', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    const { state, now, patience } = clock();
    for (const waited of [hour, 2 * hour]) {
      await place.rotate({ overlapMilliseconds: hour, lifetimeMilliseconds: 9 * hour, patience, now });
      assert.equal(state.waited, waited);
    }
    await assertWhole(place, 3);
  });

  for (const [title, overlapMilliseconds, isRevoked] of [
    ['is made shorter by the run that finishes', hour / 60, false],
    ['is over where the keys before were ended already', 7 * hour, true],
    ['is begun where it was not, or nobody can read when', 2 * hour, false],
  ] as const)
    test(title, async () => {
      await using place = await openRotationPlace({ secrets: memorySecrets() });
      await place.rotate();
      const isUnread = overlapMilliseconds === 2 * hour;
      await killedBehind(place, isUnread ? 'flipped' : 'draining', { overlapMilliseconds: hour, lifetimeMilliseconds: 9 * hour });
      if (isUnread) await (await openStepLog(place.secrets, Date.now)).add({ generation: 2, step: 'draining', until: 'soon' });
      if (isRevoked) await place.revoke(1);
      const { state, now, patience } = clock();
      const until: (string | undefined)[] = [];
      const asked = place.request({ overlapMilliseconds });
      const planned = await planRotation({ ...asked, now });
      await asked.provider.close();
      const ends = new Date(now() + (isRevoked ? 0 : overlapMilliseconds)).toISOString();
      await place.rotate({
        ...{ overlapMilliseconds, patience, now },
        onStep: (told) => (told.step === 'draining' ? void until.push(told.until) : undefined),
      });
      const waited = isRevoked ? 0 : overlapMilliseconds;
      assert.deepEqual([state.waited, until], [waited, [ends]]);
      assert.ok(planned.steps.includes(`wait ${waited / 1000} seconds`));
      await assertWhole(place, 2);
    });
});

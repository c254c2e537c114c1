import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ErrorCode, isArtifactstoreError } from '../../../src/kernel/error.ts';
import { documentNames, readGeneration, writeCurrent, writeGeneration } from '../../../src/provider/documents.ts';
import { secretOf } from '../../../src/secrets/secret.ts';
import { assertWhole } from './assert-whole.ts';
import { killedBehind, stateOf, stepsOf, withMeanwhile, without, writeByHand } from './meanwhile.ts';
import { memorySecrets } from './memory-secrets.ts';
import { openRotationPlace } from './rotation-place.ts';

async function refused(run: Promise<unknown>, code: ErrorCode, said: RegExp, hint: RegExp): Promise<void> {
  await assert.rejects(run, (error) => {
    assert.ok(isArtifactstoreError(error, code), String(error));
    assert.match(error.message, said);
    assert.match(String(error.info?.hint), hint);
    return true;
  });
}

describe('a generation that is finished by another run', () => {
  test('is left to the next one where somebody revoked it meanwhile', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    await killedBehind(place, 'persisted');
    const finishing = place.rotate({
      onStep: async ({ step }) => {
        if (step === 'resumed') await place.revoke(2);
      },
    });
    await refused(finishing, 'secret_conflict', /^Generation 2 was ended while it was being made\.$/, /run the rotation again/);
    assert.equal(await stateOf(place), 'current 1, unfinished 2, 1 current, 2 ended');
    assert.deepEqual((await stepsOf(place)).slice(-2), ['2 resumed', '2 revoked: by `provider revoke`']);
    await place.rotate();
    await assertWhole(place, 3);
    assert.ok((await stepsOf(place)).includes('2 failed: its keys were ended'));
  });

  test('ends nothing where it is the current one and its document is gone', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    await killedBehind(place, 'flipped');
    const minted = place.api.minted();
    assert.equal(minted.length, 4);
    const secrets = without(place.secrets, documentNames.generation(2));
    await refused(
      place.rotate({ secrets }),
      'secret_unusable',
      /^Generation 2 is the current one, and its document is not there/,
      /bring .* back/,
    );
    assert.deepEqual(place.api.minted(), minted);
    assert.equal(await stateOf(place), 'current 2, unfinished 2, 1 kept, 2 current');
    assert.equal((await stepsOf(place)).at(-1), '2 resumed');
  });

  test('has its keys ended with its document where they are not good, also where no list has them', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await killedBehind(place, 'persisted');
    const kept = [...place.api.minted()].sort();
    const nothing = JSON.stringify({ success: true, errors: [], messages: [], result: [] });
    place.api.strike(/^GET \/tokens$/, { answer: { status: 200, body: nothing } }, 9);
    await assert.rejects(place.rotate({ otherBucket: 'artifacts' }), (error) => isArtifactstoreError(error, 'credential_too_wide'));
    assert.deepEqual(place.api.minted(), []);
    assert.equal(await stateOf(place), 'current null, unfinished null, 1 ended');
    const log = JSON.parse((await place.secrets.get(documentNames.steps))!.value.reveal());
    const { step, told, ids } = log.steps.at(-1);
    assert.deepEqual([step, told, [...ids].sort()], ['failed', 'credential_too_wide', kept]);
  });
});

describe('a generation that is kept', () => {
  test('is not put over the one of whoever took over', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    const slow = place.rotate({
      onStep: async ({ step, role }) => {
        if (step === 'proved' && role === 'proxy') await place.rotate();
      },
    });
    await refused(slow, 'rotation_conflict', /has written to the same store since/, /one rotation run at a time/);
    await assertWhole(place, 2);
    assert.deepEqual((await stepsOf(place)).slice(-2), ['2 flipped', '2 done']);
  });

  test('stays with whoever took it over when it was whole', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    const slow = place.rotate({
      onStep: async ({ step }) => {
        if (step === 'persisted') await place.rotate();
      },
    });
    await refused(slow, 'rotation_conflict', /has written to the same store since/, /one rotation run at a time/);
    await assertWhole(place, 1);
    assert.equal((await stepsOf(place)).at(-1), '1 done');
  });

  test('is not flipped to where the store gives another one back, or none', async () => {
    const name = documentNames.generation(1);
    for (const isReplaced of [true, false]) {
      await using place = await openRotationPlace({ secrets: memorySecrets() });
      const { secrets } = place;
      const theirs = async (): Promise<void> => {
        const read = readGeneration((await secrets.get(name))!.value, 1);
        assert.ok(read !== 'ended');
        const admin = { ...read.keys.admin, secretAccessKey: secretOf('hush') };
        await writeByHand(place, name, writeGeneration({ ...read, keys: { ...read.keys, admin } }));
      };
      const meddled = isReplaced ? withMeanwhile(secrets, { [name]: theirs }) : without(secrets, name);
      await refused(
        place.rotate({ secrets: meddled }),
        'secret_conflict',
        /^Generation 1 is not what was written\.$/,
        /somebody else writes to the store/,
      );
      assert.deepEqual(place.api.minted(), []);
      assert.equal(await stateOf(place), `current null, unfinished null${isReplaced ? ', 1 ended' : ''}`);
      assert.deepEqual((await stepsOf(place)).slice(-2), ['1 proved', '1 failed: secret_conflict']);
      await place.rotate();
      await assertWhole(place, 2);
    }
  });
});

describe('the pointer', () => {
  test('is not moved where somebody else moved it, and the keys are ended', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    const moving = place.rotate({
      onStep: async ({ step }) => {
        if (step === 'persisted') await writeByHand(place, documentNames.current, writeCurrent({ generation: 1, withdrawn: [] }));
      },
    });
    await assert.rejects(moving, (error) => isArtifactstoreError(error, 'secret_conflict'));
    assert.equal(await stateOf(place), 'current 1, unfinished null, 1 current, 2 ended');
    assert.deepEqual((await stepsOf(place)).slice(-2), ['2 persisted', '2 failed: secret_conflict']);
    await assertWhole(place, 1);
  });

  test('is not moved back behind two others that were faster', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    const slow = place.rotate({
      onStep: async ({ step }) => {
        if (step !== 'persisted') return;
        await place.rotate();
        await place.rotate();
      },
    });
    await refused(slow, 'rotation_conflict', /has written to the same store since/, /one rotation run at a time/);
    assert.equal(await stateOf(place), 'current 2, unfinished null, 1 ended, 2 current');
    await assertWhole(place, 2);
    assert.equal((await stepsOf(place)).at(-1), '2 done');
  });
});

describe('a rotation that is stopped', () => {
  for (const [step, mintedThen, state, next] of [
    ['planned', 0, 'current null, unfinished 1', 2],
    ['minting', 0, 'current null, unfinished 1', 2],
    ['minted', 1, 'current null, unfinished 1, 1 unfinished', 2],
    ['persisted', 2, 'current null, unfinished 1, 1 kept', 1],
  ] as const)
    test(`behind ${step} moves no pointer, says what is left, and the next one finishes or ends it`, async () => {
      await using place = await openRotationPlace({ secrets: memorySecrets() });
      const stop = new AbortController();
      const { signal } = stop;
      const provider = place.provider(signal);
      const patience = { ...place.request().patience, signal };
      const stopped = place.rotate({ provider, patience, onStep: (told) => (told.step === step ? stop.abort() : undefined) });
      await assert.rejects(stopped, (error) => {
        assert.ok(isArtifactstoreError(error, 'cancelled'), String(error));
        if (mintedThen === 0) assert.equal(error.message, 'Stopped.');
        assert.match(String(error.info?.hint), /^run `artifactstore provider rotate` again/);
        for (const id of place.api.minted()) {
          assert.match(error.message, new RegExp(`^Stopped\\. What was minted is not ended yet: .*${id}`));
          assert.match(String(error.info?.hint), new RegExp(`^run \`artifactstore provider rotate\` again.*delete the token ${id} under`));
        }
        return true;
      });
      assert.equal(place.api.minted().length, mintedThen);
      assert.equal(await stateOf(place), state);
      const { generation, resumed } = await place.rotate();
      assert.deepEqual([generation, resumed], [next, next === 1]);
      await assertWhole(place, next);
    });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ArtifactstoreError, isArtifactstoreError } from '../../../src/kernel/error.ts';
import { documentNames, writeCurrent, writeGeneration } from '../../../src/provider/documents.ts';
import { planRotation } from '../../../src/provider/rotation/plan.ts';
import { openStepLog } from '../../../src/provider/rotation/steps.ts';
import type { Secrets } from '../../../src/secrets/SECRETS.ts';
import { secretOf } from '../../../src/secrets/secret.ts';
import { assertWhole } from './assert-whole.ts';
import { beforePointer, pointerOf } from './before-pointer.ts';
import { idsIn, killedBehind, stateOf, withMeanwhile, writeByHand } from './meanwhile.ts';
import { memorySecrets } from './memory-secrets.ts';
import { mintUnknown } from './mint-unknown.ts';
import { assertPointedKeysAreGood } from './pointed-keys.ts';
import { openRotationPlace } from './rotation-place.ts';

describe('a run that takes over', () => {
  test('ends no keys that servers are pointed to by now, whatever it finds wrong with them', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    await killedBehind(place, 'persisted');
    const finishing = place.rotate({
      otherBucket: 'artifacts',
      onStep: async ({ step }) => {
        if (step === 'resumed') await writeByHand(place, documentNames.current, writeCurrent({ generation: 2, withdrawn: [] }));
      },
    });
    await assert.rejects(finishing, (error) => isArtifactstoreError(error, 'credential_too_wide'));
    await assertPointedKeysAreGood(place);
    assert.equal(await stateOf(place), 'current 2, unfinished 2, 1 kept, 2 current');
    await place.rotate();
    await assertWhole(place, 2);
  });

  test('leaves keys that may be kept to the next one where the pointer cannot be told, and names them', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    const sealed = async (): Promise<never> => {
      throw new ArtifactstoreError('secrets_unavailable', 'The store is sealed.');
    };
    const name = documentNames.generation(2);
    const { secrets } = place;
    let isLost = false;
    const losing: Secrets = {
      ...secrets,
      get: async (asked) => (isLost ? await sealed() : await secrets.get(asked)),
      writer: {
        ...secrets.writer!,
        async put(asked, ...more) {
          const version = await secrets.writer!.put(asked, ...more);
          if (asked !== name) return version;
          isLost = true;
          return await sealed();
        },
      },
    };
    await assert.rejects(place.rotate({ secrets: losing }), (error) => {
      assert.ok(isArtifactstoreError(error, 'revocation_failed'), String(error));
      assert.equal(idsIn(error).length, 2);
      assert.match(error.message, /^The store is sealed\. What was minted could not be ended either: .* The store is sealed\.$/);
      return true;
    });
    assert.equal(place.api.minted().length, 4);
    assert.deepEqual([(await place.rotate()).generation, await stateOf(place)], [2, 'current 2, unfinished null, 1 ended, 2 current']);
    await assertWhole(place, 2);
  });

  test('does not move the pointer back to an earlier generation, and ends that one', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    await killedBehind(place, 'persisted');
    const open = (await place.secrets.get(documentNames.steps))!.value;
    const kept = (await place.secrets.get(documentNames.generation(2)))!.value;
    await place.rotate();
    await place.rotate();
    await writeByHand(place, documentNames.steps, open);
    await writeByHand(place, documentNames.generation(2), kept);
    assert.equal((await place.rotate()).generation, 4);
    await assertWhole(place, 4);
    assert.equal(await stateOf(place), 'current 4, unfinished null, 1 ended, 2 ended, 3 ended, 4 current');
  });

  test('makes another generation where one was begun and not kept, and plans that', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    await killedBehind(place, 'minted');
    const asked = place.request();
    const { generation, resumes, steps } = await planRotation(asked);
    await asked.provider.close();
    assert.deepEqual([generation, resumes, steps[1]], [3, false, 'end what there is of generation 2, which is not finished']);
    // The provider has made another key, and who asked for it was killed: it is found later than the others.
    const rotated = await place.rotate({
      onStep: async ({ step }) => void (step === 'persisted' && (await mintUnknown(place, 2))),
    });
    assert.deepEqual([rotated.generation, rotated.previous, rotated.revoked.length], [3, 1, 3]);
    await assertWhole(place, 3);
  });

  test('stops where the pointer was moved, or its own generation withdrawn, while it ended what there was', async () => {
    for (const pointer of [
      { generation: 3, withdrawn: [] },
      { generation: 1, withdrawn: [2, 3] },
    ]) {
      await using place = await openRotationPlace({ secrets: memorySecrets() });
      await place.rotate();
      await killedBehind(place, 'minted');
      const meddled = async (): Promise<void> => {
        if (pointer.generation === 3) {
          const keys = { id: 'i', accessKeyId: 'A', secretAccessKey: secretOf('hush'), expiresAtMilliseconds: undefined };
          const facts = { provider: 'static', account: 'a', bucket: 'b', prefix: '', madeAt: 'then' } as const;
          await writeByHand(
            place,
            documentNames.generation(3),
            writeGeneration({ ...facts, generation: 3, keys: { admin: keys, proxy: keys } }),
          );
        }
        await writeByHand(place, documentNames.current, writeCurrent(pointer));
      };
      const rotation = place.rotate({ secrets: withMeanwhile(place.secrets, { [documentNames.current]: meddled }) });
      await assert.rejects(rotation, (error) => isArtifactstoreError(error, 'rotation_conflict'));
      assert.deepEqual(await pointerOf(place), pointer);
      assert.equal(place.api.minted().length, 2, 'nothing was minted');
    }
  });

  test('stops where what it wants to end is the current one by now', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    await killedBehind(place, 'minted');
    const flipped = (): Promise<void> => writeByHand(place, documentNames.current, writeCurrent({ generation: 2, withdrawn: [] }));
    const rotation = place.rotate({ secrets: beforePointer(place, flipped) });
    await assert.rejects(rotation, (error) => isArtifactstoreError(error, 'rotation_conflict'));
    assert.equal(place.api.minted().length, 3, 'nothing was ended');
  });

  test('ends nothing where somebody has moved the pointer back while the old keys were good', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    const rotation = place.rotate({
      onStep: async ({ step }) => {
        if (step === 'draining') await writeByHand(place, documentNames.current, writeCurrent({ generation: 1, withdrawn: [] }));
      },
    });
    await assert.rejects(rotation, (error) => isArtifactstoreError(error, 'rotation_conflict'));
    await assertPointedKeysAreGood(place);
    assert.equal(place.api.minted().length, 4);
    assert.equal((await (await openStepLog(place.secrets, Date.now)).steps).at(-1)?.step, 'draining');
    await place.rotate();
    await assertWhole(place, 2);
  });
});

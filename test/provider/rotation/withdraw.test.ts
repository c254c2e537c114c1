import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ArtifactstoreError, isArtifactstoreError } from '../../../src/kernel/error.ts';
import { documentNames, writeCurrent } from '../../../src/provider/documents.ts';
import type { Issuer } from '../../../src/provider/PROVIDER.ts';
import { openStepLog } from '../../../src/provider/rotation/steps.ts';
import type { Secrets } from '../../../src/secrets/SECRETS.ts';
import { assertWhole } from './assert-whole.ts';
import { beforePointer, pointerOf } from './before-pointer.ts';
import { killedBehind, stateOf, stepsOf, writeByHand } from './meanwhile.ts';
import { memorySecrets } from './memory-secrets.ts';
import { assertPointedKeysAreGood, meet } from './pointed-keys.ts';
import { openRotationPlace, type RotationPlace } from './rotation-place.ts';

/** The store, where something happens before the document of generation 2 is written. */
function beforeDocument({ secrets }: Pick<RotationPlace, 'secrets'>, act: () => Promise<unknown>): Secrets {
  const writer = secrets.writer!;
  return {
    ...secrets,
    writer: {
      ...writer,
      async put(name, ...more) {
        if (name === documentNames.generation(2)) await act();
        return await writer.put(name, ...more);
      },
    },
  };
}

describe('a revocation of the generation that is being made', () => {
  test('leaves the pointer on good keys, between whichever two changes of the rotation it comes', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    let { generation } = await place.rotate();
    for (let behind = 0; ; behind += 1) {
      const meeting = { acts: 'changes', rotations: ['rotate'], revocations: { revoke: generation + 1 } } as const;
      const met = await meet(place, meeting, (waiting, moves) => {
        const next = moves.filter((name) => name === 'rotate').length < behind ? 'rotate' : 'revoke';
        return waiting.includes(next) ? next : waiting[0]!;
      });
      generation = met.generation;
      if (met.moves.filter((name) => name === 'rotate').length >= behind) continue;
      assert.ok(behind > 12, `only ${behind} steps`);
      break;
    }
  });

  test('is told by the rotation that was about to flip to it, which ends nothing twice', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    const rotation = place.rotate({ secrets: beforePointer(place, () => place.revoke(2)) });
    await assert.rejects(rotation, (error) => isArtifactstoreError(error, 'rotation_conflict'));
    assert.deepEqual(await pointerOf(place), { generation: 1, withdrawn: [2] });
    assert.equal(await stateOf(place), 'current 1, unfinished 2, 1 current, 2 ended');
    await assertPointedKeysAreGood(place);
    assert.equal((await place.rotate()).generation, 3);
    assert.deepEqual(await pointerOf(place), { generation: 3, withdrawn: [] });
    await assertWhole(place, 3);
  });

  test('is told as such where the log could not be written', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    const silent: Secrets = {
      ...place.secrets,
      writer: {
        ...place.secrets.writer!,
        async put(name, ...more) {
          if (name === documentNames.steps) throw new ArtifactstoreError('secrets_unavailable', 'The store is sealed.');
          return await place.secrets.writer!.put(name, ...more);
        },
      },
    };
    const rotation = place.rotate({ secrets: beforePointer(place, () => place.revoke(2, { secrets: silent })) });
    await assert.rejects(rotation, (error) => {
      assert.ok(isArtifactstoreError(error, 'secret_conflict'), String(error));
      return error.message === 'Generation 2 was ended while it was being made.';
    });
    assert.equal((await stepsOf(place)).at(-1), '2 failed: secret_conflict');
    await place.rotate();
    await assertWhole(place, 3);
  });

  test('ends the document too that the rotation wrote while the keys were looked for', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    const { promise: keeping, resolve: letKeep } = Promise.withResolvers<void>();
    const kept = killedBehind(place, 'persisted', {
      secrets: beforeDocument(place, async () => {
        reach();
        await keeping;
      }),
    });
    await reached;
    await using whole = new AsyncDisposableStack();
    const provider = whole.adopt(place.provider(), (each) => each.close());
    let finds = 0;
    const find: Issuer['find'] = async (...asked) => {
      finds += 1;
      // The first one asks whether there is anything of it at all.
      if (finds === 2) {
        letKeep();
        await kept;
      }
      return await provider.issuer!.find(...asked);
    };
    assert.equal((await place.revoke(2, { provider: { ...provider, issuer: { ...provider.issuer!, find } } })).revoked.length, 2);
    assert.equal(await stateOf(place), 'current 1, unfinished 2, 1 current, 2 ended');
    await place.rotate();
    await assertWhole(place, 3);
  });

  test('is told from another run that took over, also where the pointer cannot be read', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    let isSealed = false;
    const secrets = beforeDocument(place, async () => {
      await (await openStepLog(place.secrets, Date.now)).add({ generation: 2, step: 'resumed', bucket: 'artifacts', prefix: '' });
      isSealed = true;
    });
    const get: Secrets['get'] = async (name) => {
      if (isSealed && name === documentNames.current) throw new ArtifactstoreError('secrets_unavailable', 'The store is sealed.');
      return await secrets.get(name);
    };
    await assert.rejects(place.rotate({ secrets: { ...secrets, get } }), (error) => isArtifactstoreError(error, 'rotation_conflict'));
    assert.equal(await stateOf(place), 'current 1, unfinished 2, 1 current, 2 kept');
    await place.rotate();
    await assertWhole(place, 2);
  });

  test('is refused where the rotation was faster, and ends nothing', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await killedBehind(place, 'persisted');
    let reads = 0;
    const get = async (name: string) => {
      const found = await place.secrets.get(name);
      if (name === documentNames.current && ++reads === 1) await place.rotate();
      return found;
    };
    const late = place.revoke(1, { secrets: { ...place.secrets, get } });
    await assert.rejects(late, (error) => isArtifactstoreError(error, 'generation_in_use'));
    await assertWhole(place, 1);
    assert.equal((await place.revoke(1, { evenCurrent: true })).revoked.length, 2);
    assert.deepEqual([place.api.minted(), await pointerOf(place)], [[], { generation: 1, withdrawn: [] }]);
  });

  test('is done behind whoever else writes the pointer, five times and no more', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    await killedBehind(place, 'persisted');
    const writer = place.secrets.writer!;
    let others = 0;
    const busy = (most: number): Secrets => ({
      ...place.secrets,
      writer: {
        ...writer,
        async put(name, ...more) {
          if (name === documentNames.current && others < most) {
            others += 1;
            await writeByHand(place, name, writeCurrent({ generation: 1, withdrawn: [] }));
          }
          return await writer.put(name, ...more);
        },
      },
    });
    await assert.rejects(place.revoke(2, { secrets: busy(99) }), (error) => isArtifactstoreError(error, 'secret_conflict'));
    assert.deepEqual([others, place.api.minted().length], [5, 4], 'nothing was ended');
    others = 0;
    assert.equal((await place.revoke(2, { secrets: busy(4) })).revoked.length, 2);
    await killedBehind(place, 'persisted');
    await place.revoke(3);
    assert.deepEqual(await pointerOf(place), { generation: 1, withdrawn: [2, 3] });
    await place.rotate();
    await assertWhole(place, 4);
  });

  test('ends nothing where the store does not take what the pointer is to say', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await killedBehind(place, 'persisted');
    let tries = 0;
    const sealed = async (): Promise<never> => {
      tries += 1;
      throw new ArtifactstoreError('secrets_unavailable', 'The store is sealed.');
    };
    const secrets = { ...place.secrets, writer: { ...place.secrets.writer!, put: sealed } };
    await assert.rejects(place.revoke(1, { secrets }), (error) => isArtifactstoreError(error, 'secrets_unavailable'));
    assert.deepEqual([tries, place.api.minted().length], [1, 2]);
  });

  test('is right also where its run ends the same keys at the same time', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    const whole = place.provider();
    const provider = {
      ...whole,
      issuer: {
        ...whole.issuer!,
        async find(...asked: Parameters<NonNullable<typeof whole.issuer>['find']>) {
          const ids = await whole.issuer!.find(...asked);
          if (ids.length > 0) await assert.rejects(finish());
          return ids;
        },
      },
    };
    const { promise: reached, resolve: reach } = Promise.withResolvers<void>();
    const { promise: finishing, resolve: letFinish } = Promise.withResolvers<void>();
    const secrets = beforePointer(place, async () => {
      reach();
      await finishing;
    });
    const rotation = place.rotate({ secrets });
    rotation.catch(() => undefined);
    const finish = async (): Promise<unknown> => {
      letFinish();
      return await rotation;
    };
    await reached;
    await place.revoke(2, { provider });
    await whole.close();
    assert.equal(await stateOf(place), 'current 1, unfinished null, 1 current, 2 ended');
    await place.rotate();
    await assertWhole(place, 3);
  });
});

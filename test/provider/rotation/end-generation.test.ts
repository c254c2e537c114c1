import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ArtifactstoreError, isArtifactstoreError } from '../../../src/kernel/error.ts';
import { documentNames, readGeneration, writeCurrent, writeGeneration, writePair } from '../../../src/provider/documents.ts';
import type { Issuer, Provider } from '../../../src/provider/PROVIDER.ts';
import { loadPair } from '../../../src/provider/rotation/authority.ts';
import { openStepLog } from '../../../src/provider/rotation/steps.ts';
import type { Secrets } from '../../../src/secrets/SECRETS.ts';
import { secretOf } from '../../../src/secrets/secret.ts';
import { assertWhole } from './assert-whole.ts';
import { idsIn, killedBehind, stateOf, stepsOf, writeByHand } from './meanwhile.ts';
import { memorySecrets } from './memory-secrets.ts';
import { mintUnknown } from './mint-unknown.ts';
import { openRotationPlace, type RotationPlace } from './rotation-place.ts';

const failing = { answer: { status: 500, body: '{"success":false,"errors":[]}' } };

/** A store that takes no more steps from when it is told. */
function withoutLog(secrets: Secrets): { readonly secrets: Secrets; break(): void } {
  let isBroken = false;
  return {
    secrets: {
      ...secrets,
      writer: {
        ...secrets.writer!,
        async put(name, value, expected) {
          if (isBroken && name === documentNames.steps) throw new ArtifactstoreError('secrets_unavailable', 'The store is sealed.');
          return await secrets.writer!.put(name, value, expected);
        },
      },
    },
    break: () => {
      isBroken = true;
    },
  };
}

describe('the end of a generation', () => {
  test('is that of keys too that only their label knows', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    const { keys } = await place.rotate();
    const late = await mintUnknown(place, 1);
    const beside = await mintUnknown(place, 10);
    const { revoked } = await place.rotate();
    assert.deepEqual([...revoked].sort(), [...keys.map(({ id }) => id), late].sort());
    assert.ok(place.api.minted().includes(beside), 'which is one of another generation');
    await place.revoke(10);
    await assertWhole(place, 2);
  });

  test('is that of the keys of one store alone, where an account has several', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    const pair = await loadPair(place.secrets);
    const other = memorySecrets();
    await other.writer!.put(documentNames.pair, writePair({ ...pair, storeId: '0badcafe' }), undefined);
    const theirs = (await place.rotate({ secrets: other })).keys.map(({ id }) => id);
    await place.rotate();
    await place.rotate();
    await place.revoke(1);
    const minted = place.api.minted();
    assert.deepEqual([minted.length, theirs.every((id) => minted.includes(id))], [4, true]);
    assert.equal(await stateOf({ secrets: other }), 'current 1, unfinished null, 1 current');
  });

  test('that fails for one key ends the others, says why and how, and keeps the document until all are ended', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    const { keys } = await place.rotate();
    place.api.strike(/^DELETE/, failing);
    await assert.rejects(place.rotate(), (error) => {
      assert.ok(isArtifactstoreError(error, 'revocation_failed'), String(error));
      const [left, ...more] = idsIn(error);
      assert.deepEqual(more, []);
      assert.deepEqual(
        place.api.minted().filter((id) => keys.some((key) => key.id === id)),
        [left],
      );
      assert.match(
        error.message,
        new RegExp(`^Generation 1 could not be ended: ${left}\\. .*refuses a call \\(DELETE /tokens/${left}\\): 500`),
      );
      assert.match(
        String(error.info?.hint),
        new RegExp(`^run the same command again: it ends what is left; by hand: delete the token ${left} under [^;]*$`),
      );
      return true;
    });
    assert.equal(await stateOf(place), 'current 2, unfinished 2, 1 kept, 2 current');
    assert.equal((await stepsOf(place)).at(-1), '2 draining');
    await place.rotate();
    assert.equal(await stateOf(place), 'current 2, unfinished null, 1 ended, 2 current');
    assert.deepEqual((await stepsOf(place)).slice(-3), ['2 resumed', '2 revoked', '2 done']);
    await assertWhole(place, 2);
  });
});

describe('a document that somebody changes while its keys are ended', () => {
  const changed = async (place: RotationPlace, generation: number): Promise<void> => {
    const name = documentNames.generation(generation);
    const read = readGeneration((await place.secrets.get(name))!.value, generation);
    assert.ok(read !== 'ended');
    await writeByHand(place, name, writeGeneration({ ...read, madeAt: 'later' }));
  };
  const madeAt = async (place: RotationPlace, generation: number): Promise<string> => {
    const read = readGeneration((await place.secrets.get(documentNames.generation(generation)))!.value, generation);
    return read === 'ended' ? read : read.madeAt;
  };

  test('is not overwritten by a revocation, which says so', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    const whole = place.provider();
    const revoke: Issuer['revoke'] = async (authority, id) => {
      if ((await madeAt(place, 1)) !== 'later') await changed(place, 1);
      return await whole.issuer!.revoke(authority, id);
    };
    const provider: Provider = { ...whole, issuer: { ...whole.issuer!, revoke } };
    await assert.rejects(place.revoke(1, { provider, evenCurrent: true }), (error) => isArtifactstoreError(error, 'secret_conflict'));
    await whole.close();
    assert.deepEqual([place.api.minted(), await madeAt(place, 1)], [[], 'later']);
  });

  test('is not overwritten by a rotation that cannot keep it', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    let isNext = false;
    const secrets: Secrets = {
      ...place.secrets,
      async get(name) {
        const found = await place.secrets.get(name);
        if (!isNext || name !== documentNames.generation(2)) return found;
        isNext = false;
        await changed(place, 2);
        return found;
      },
    };
    const moved = place.rotate({
      secrets,
      async onStep({ step }) {
        if (step !== 'persisted') return;
        await writeByHand(place, documentNames.current, writeCurrent({ generation: 1, withdrawn: [] }));
        isNext = true;
      },
    });
    await assert.rejects(moved, (error) => isArtifactstoreError(error, 'secret_conflict'));
    assert.deepEqual([place.api.minted().length, await madeAt(place, 2)], [2, 'later']);
  });
});

test('a stop while keys are ended is told as a stop, and the next run ends the others', async () => {
  await using place = await openRotationPlace({ secrets: memorySecrets() });
  await place.rotate();
  const stop = new AbortController();
  const { signal } = stop;
  const whole = place.provider(signal);
  const revoke: Issuer['revoke'] = async (authority, id) => {
    const ended = await whole.issuer!.revoke(authority, id);
    stop.abort();
    return ended;
  };
  const provider: Provider = { ...whole, issuer: { ...whole.issuer!, revoke } };
  await assert.rejects(place.rotate({ provider, patience: { ...place.request().patience, signal } }), (error) => {
    assert.ok(isArtifactstoreError(error, 'cancelled'), String(error));
    return /^run `artifactstore provider rotate` again: it ends or finishes/.test(String(error.info?.hint));
  });
  assert.deepEqual([place.api.minted().length, await stateOf(place)], [3, 'current 2, unfinished 2, 1 kept, 2 current']);
  await place.rotate();
  await assertWhole(place, 2);
});

describe('what was minted and cannot be kept', () => {
  test('is ended but for the one key that cannot be, which is named', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    place.api.strike(/^DELETE/, failing);
    await assert.rejects(place.rotate({ otherBucket: undefined }), (error) => {
      assert.ok(isArtifactstoreError(error, 'revocation_failed'), String(error));
      assert.deepEqual(error.info?.ids, place.api.minted());
      assert.equal(place.api.minted().length, 1);
      assert.match(error.message, /^The keys of .* are not proven: .*What was minted could not be ended either: [0-9a-f]{32}\. .*500/);
      return true;
    });
    assert.deepEqual([(await stepsOf(place)).at(-1), await stateOf(place)], ['1 minted', 'current null, unfinished 1, 1 unfinished']);
    await place.rotate();
    await assertWhole(place, 2);
  });

  test('is named out of the log where the provider does not list it', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    const unlisted = place.rotate({
      otherBucket: 'artifacts',
      onStep: ({ step, role }) => (step === 'minted' && role === 'proxy' ? place.api.strike(/^GET \/tokens$/, failing, 9) : undefined),
    });
    await assert.rejects(unlisted, (error) => {
      assert.ok(isArtifactstoreError(error, 'revocation_failed'), String(error));
      assert.deepEqual(error.info?.ids, place.api.minted());
      assert.match(error.message, /^The keys of the admin of generation 1 reach beyond .*refuses a call \(GET \/tokens\): 500/);
      for (const id of place.api.minted()) assert.match(String(error.info?.hint), new RegExp(`delete the token ${id} under`));
      return true;
    });
    place.api.endStrikes();
    await place.rotate();
    await assertWhole(place, 2);
  });

  test('is named out of its document where neither the log nor a list has it', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await killedBehind(place, 'persisted');
    await writeByHand(place, documentNames.steps, secretOf('{"format":1,"steps":[]}'));
    await (await openStepLog(place.secrets, Date.now)).add({ generation: 1, step: 'planned', bucket: 'artifacts', prefix: '' });
    place.api.strike(/^GET \/tokens$/, failing, 9);
    await assert.rejects(place.rotate({ otherBucket: 'artifacts' }), (error) => {
      assert.ok(isArtifactstoreError(error, 'revocation_failed'), String(error));
      assert.deepEqual(idsIn(error), place.api.minted());
      return true;
    });
    place.api.endStrikes();
    await place.rotate();
    await assertWhole(place, 2);
  });

  test('is looked for by the next run where nobody knows whether there is any', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    place.api.strike(/^POST \/tokens$/, { lose: true });
    const unknown = place.rotate({
      onStep: ({ step }) => (step === 'minting' ? place.api.strike(/^GET \/tokens$/, failing, 9) : undefined),
    });
    await assert.rejects(unknown, (error) => {
      assert.ok(isArtifactstoreError(error, 'revocation_failed'), String(error));
      assert.match(String(error.info?.hint), /^run `artifactstore provider rotate` again: it ends or finishes what it finds first$/);
      return true;
    });
    assert.equal(place.api.minted().length, 1);
    place.api.endStrikes();
    await place.rotate();
    await assertWhole(place, 2);
  });

  test('is all tried where ending fails by a fault of this software, which is not repeated', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    const whole = place.provider();
    const tried: string[] = [];
    const revoke = async (_: unknown, id: string): Promise<never> => {
      tried.push(id);
      throw new TypeError('hush');
    };
    const provider: Provider = { ...whole, issuer: { ...whole.issuer!, revoke } };
    const prove = async (): Promise<never> => {
      throw new TypeError('hush');
    };
    await assert.rejects(place.rotate({ provider: { ...provider, prove } }), (error) => {
      assert.ok(isArtifactstoreError(error, 'revocation_failed'), String(error));
      assert.match(error.message, /^The rotation failed\. What was minted could not be ended either: [0-9a-f]{32}, [0-9a-f]{32}\.$/);
      assert.ok(error.cause instanceof TypeError);
      return true;
    });
    assert.deepEqual(tried.sort(), [...place.api.minted()].sort());
    await place.rotate();
    await assertWhole(place, 2);
  });

  test('is told by the error that there was where the store cannot be told of its end', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    const log = withoutLog(place.secrets);
    const sealed = place.rotate({
      secrets: log.secrets,
      otherBucket: 'artifacts',
      onStep: ({ step, role }) => (step === 'minted' && role === 'proxy' ? log.break() : undefined),
    });
    await assert.rejects(sealed, (error) => isArtifactstoreError(error, 'credential_too_wide'));
    assert.deepEqual([place.api.minted(), await stateOf(place)], [[], 'current null, unfinished 1, 1 unfinished']);
    await place.rotate();
    await assertWhole(place, 2);
  });

  test('is taken out of its document first, so that the next run begins another', async () => {
    await using place = await openRotationPlace({ secrets: memorySecrets() });
    await place.rotate();
    const log = withoutLog(place.secrets);
    const moved = place.rotate({
      secrets: log.secrets,
      async onStep({ step }) {
        if (step !== 'persisted') return;
        await writeByHand(place, documentNames.current, writeCurrent({ generation: 1, withdrawn: [] }));
        log.break();
      },
    });
    await assert.rejects(moved, (error) => isArtifactstoreError(error, 'secret_conflict'));
    assert.equal(await stateOf(place), 'current 1, unfinished 2, 1 current, 2 ended');
    await place.rotate();
    await assertWhole(place, 3);
  });
});

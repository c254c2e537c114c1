import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type ErrorCode, isArtifactstoreError } from '../../src/kernel/error.ts';
import { documentNames, readGeneration } from '../../src/provider/documents.ts';
import { providerStatus } from '../../src/provider/rotation/status.ts';
import type { Secrets } from '../../src/secrets/SECRETS.ts';
import { secretOf } from '../../src/secrets/secret.ts';
import { vaultSecrets } from '../../src/secrets/vault/vault.ts';
import { type OpenBao, startOpenBao, whyNoOpenBao } from '../stores/openbao.ts';
import { openRotationPlace, type RotationPlace } from './rotation/rotation-place.ts';

let bao: OpenBao;
let paths = 0;

/** A store of its own in it, as root or as whoever has this token. */
function storeAt(path: string, token = bao.token): Secrets {
  const place = { kind: 'vault', address: bao.url, mount: 'secret', path } as const;
  return vaultSecrets(place, { auth: { method: 'token', tokenRef: 'env:TOKEN' }, environment: { TOKEN: token } });
}

/** A token that may do only this below the path. */
async function tokenOf(path: string, ...capabilities: readonly string[]): Promise<string> {
  const name = `only-${path}`;
  const policy = ['data', 'metadata'].map(
    (engine) => `path "secret/${engine}/${path}/*" { capabilities = ${JSON.stringify(capabilities)} }`,
  );
  await bao.call('PUT', `sys/policies/acl/${name}`, { policy: policy.join('\n') });
  const { client_token } = await bao.call('POST', 'auth/token/create', { policies: [name] });
  return String(client_token);
}

const nextPath = (): string => `case-${paths++}`;

async function refuses(asked: Promise<unknown>, code: ErrorCode, told: RegExp, hint: RegExp): Promise<void> {
  await assert.rejects(asked, (error) => {
    assert.ok(isArtifactstoreError(error, code), `wanted ${code}, got ${String(error)}`);
    assert.match(error.message, told);
    assert.match(String(error.info?.hint), hint);
    return true;
  });
}

/** The current generation is this one and whole, and nothing else that was minted is good. */
async function assertCurrent({ api }: RotationPlace, secrets: Secrets, generation: number): Promise<void> {
  const status = await providerStatus(secrets);
  assert.deepEqual([status.current, status.unfinished], [generation, null]);
  const read = readGeneration((await secrets.get(documentNames.generation(generation)))!.value, generation);
  assert.ok(read !== 'ended');
  const ids = Object.values(read.keys).map(({ id }) => id);
  assert.deepEqual([...api.minted()].sort(), ids.sort());
}

describe('the commands of the provider, with their secrets in a real OpenBao', { skip: whyNoOpenBao() ?? false }, () => {
  before(async () => {
    bao = await startOpenBao();
  });
  after(() => bao[Symbol.asyncDispose]());

  test('import, rotate and end, each document by compare-and-set, with a token that reaches nothing else', async () => {
    const path = nextPath();
    const secrets = storeAt(path, await tokenOf(path, 'create', 'read', 'update', 'list'));
    await using place = await openRotationPlace({ secrets });
    await place.rotate();
    await assertCurrent(place, secrets, 1);
    await place.rotate();
    await assertCurrent(place, secrets, 2);
    const { metadata } = (await bao.call('GET', `secret/data/${path}/provider/generations/1`)) as { metadata: { version: number } };
    assert.equal(metadata.version, 2, 'written once, ended once');
    assert.equal(readGeneration((await secrets.get(documentNames.generation(1)))!.value, 1), 'ended');
    await secrets.close();
  });

  test('say of a vault that is sealed what to do, keep what was there, and continue when it is open', async () => {
    const secrets = storeAt(nextPath());
    await using place = await openRotationPlace({ secrets });
    await place.rotate();
    await bao.seal();
    await refuses(place.rotate(), 'secrets_unavailable', /is sealed/, /unseal it/);
    assert.equal(place.api.minted().length, 2, 'nothing was minted');
    await bao.unseal();
    // Sealed in the middle: what was minted cannot be kept. Its ids are the last thing said, or the next run ends it.
    const sealing = place.rotate({ onStep: async ({ step }) => void (step === 'proved' && (await bao.seal())) });
    await assert.rejects(sealing, (error) => isArtifactstoreError(error) && /is sealed/.test(`${error.message} ${String(error.cause)}`));
    await bao.unseal();
    const { generation, resumed } = await place.rotate();
    assert.deepEqual([generation, resumed], [3, false]);
    await assertCurrent(place, secrets, 3);
    await secrets.close();
  });

  test('mint nothing with a token that may only read, and name the capability', async () => {
    const path = nextPath();
    const root = storeAt(path);
    await using place = await openRotationPlace({ secrets: root });
    await place.rotate();
    const reader = storeAt(path, await tokenOf(path, 'read', 'list'));
    await refuses(place.rotate({ secrets: reader }), 'secrets_forbidden', /may not be written/, /"create" and "update" on secret\/data\//);
    assert.equal(place.api.minted().length, 2);
    await assertCurrent(place, root, 1);
    await assert.rejects(openRotationPlace({ secrets: reader }), (error) => isArtifactstoreError(error, 'secrets_forbidden'));
    const stranger = storeAt(path, await tokenOf(nextPath(), 'read'));
    await refuses(place.rotate({ secrets: stranger }), 'secrets_forbidden', /may not be read/, /"read" on secret\/data\//);
    await Promise.all([reader.close(), stranger.close(), root.close()]);
  });

  test('end what was minted where the pointer changes under them, and where another rotation takes over', async () => {
    const secrets = storeAt(nextPath());
    await using place = await openRotationPlace({ secrets });
    await place.rotate();
    const pointer = await secrets.get(documentNames.current);
    const meddling = place.rotate({
      // Somebody writes the pointer again, as it is: the version that was read is no more.
      onStep: async ({ step }) => {
        if (step === 'persisted') await secrets.writer!.put(documentNames.current, pointer!.value, pointer!.version);
      },
    });
    await refuses(meddling, 'secret_conflict', /is not what it was/, /read it again/);
    await assertCurrent(place, secrets, 1);
    let taken: Promise<unknown> | undefined;
    const slow = place.rotate({
      onStep: async ({ step, role }) => {
        if (step !== 'minted' || role !== 'admin') return;
        taken = place.rotate();
        await taken;
      },
    });
    await refuses(slow, 'rotation_conflict', /has written to the same store since/, /one rotation run at a time/);
    await taken;
    await assertCurrent(place, secrets, 4);
    await secrets.close();
  });

  test('let one of two imports win', async () => {
    const secrets = storeAt(nextPath());
    await using place = await openRotationPlace({ secrets });
    const before = await secrets.get(documentNames.pair);
    await secrets.writer!.put(documentNames.pair, before!.value, before!.version);
    await refuses(
      secrets.writer!.put(documentNames.pair, secretOf('{"format":1}'), before!.version),
      'secret_conflict',
      /provider\/admin-pair.* is not what it was: it was not changed/,
      /read it again/,
    );
    await place.rotate();
    await assertCurrent(place, secrets, 1);
    await secrets.close();
  });
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { staticCredentials } from '../../src/credentials/static.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import type { Secrets } from '../../src/secrets/SECRETS.ts';
import { vaultSecrets } from '../../src/secrets/vault/vault.ts';
import { startVault, type VaultServer } from '../secrets/vault/vault-server.ts';
import { virtualClock } from './virtual-clock.ts';

const references = { accessKeyRef: 'secret:s3#access', secretKeyRef: 'secret:s3#secret' };

async function openWorld() {
  const opened = new AsyncDisposableStack();
  const vault = opened.use(await startVault());
  vault.tokens.set('t', { '': ['read'] });
  const secrets: Secrets = vaultSecrets(
    { kind: 'vault', address: vault.url, mount: 'kv', path: '' },
    { auth: { method: 'token', tokenRef: 'env:T' }, environment: { T: 't' }, wait: async () => undefined },
  );
  opened.defer(() => secrets.close());
  const clock = virtualClock();
  const credentials = staticCredentials(references, { secrets, now: clock.now, wait: clock.wait });
  return { vault, clock, credentials, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

function put(vault: VaultServer, generation: number): void {
  vault.documents.set('s3', { version: generation, data: { access: `hush-access-${generation}`, secret: `hush-secret-${generation}` } });
}

/** Until what was begun behind an answer has come. */
async function settled<T>(ask: () => Promise<T>, isIt: (value: T) => boolean, between: () => void): Promise<T> {
  for (let attempt = 0; attempt < 6_000; attempt++) {
    const value = await ask();
    if (isIt(value)) return value;
    between();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('it does not come');
}

describe('keys in a store of secrets', () => {
  test('are known to be out of reach for how long, while those that were read stay in use', async () => {
    await using world = await openWorld();
    const { vault, clock, credentials } = world;
    put(vault, 1);
    await credentials.keys();
    assert.equal(credentials.unread?.(), undefined);
    vault.sealed = true;
    clock.advance(10_000);
    const seen = async () => {
      await credentials.keys();
      return credentials.unread?.();
    };
    const unread = await settled(
      seen,
      (found) => found !== undefined,
      () => undefined,
    );
    assert.match(unread?.reason ?? '', /ARTIFACTSTORE_S3_ACCESS_KEY_REF: secret:s3#access cannot be read\. .* is sealed/);
    clock.advance(3 * 86_400_000);
    assert.equal((await credentials.keys()).accessKeyId, 'hush-access-1');
    assert.ok((credentials.unread?.()?.seconds ?? 0) >= 3 * 86_400, 'three days');
    vault.sealed = false;
    await settled(
      seen,
      (found) => found === undefined,
      () => clock.advance(10_000),
    );
  });

  test('are followed when they are replaced there, and asked for every ten seconds at most', async () => {
    await using world = await openWorld();
    const { vault, clock, credentials } = world;
    put(vault, 1);
    assert.deepEqual(await credentials.keys(), { accessKeyId: 'hush-access-1', secretAccessKey: 'hush-secret-1' });
    const asked = vault.asked.length;
    put(vault, 2);
    clock.advance(9_000);
    assert.equal((await credentials.keys()).accessKeyId, 'hush-access-1');
    assert.equal(vault.asked.length, asked);
    clock.advance(1_000);
    const keys = await settled(
      () => credentials.keys(),
      ({ accessKeyId }) => accessKeyId === 'hush-access-2',
      () => clock.advance(60),
    );
    assert.equal(keys.secretAccessKey, 'hush-secret-2');
  });

  test('stay in use, and nobody waits, while the store does not answer', async () => {
    await using world = await openWorld();
    const { vault, clock, credentials } = world;
    put(vault, 1);
    const keys = await credentials.keys();
    vault.sealed = true;
    clock.advance(60_000);
    assert.equal(await credentials.keys(), keys);
    const silence = Promise.withResolvers<void>();
    vault.silence = silence.promise;
    vault.sealed = false;
    clock.advance(60_000);
    const asked = vault.asked.length;
    assert.equal(await credentials.keys(), keys, 'while nothing was answered');
    assert.equal(await credentials.keys(), keys);
    assert.ok(vault.asked.length - asked <= 2);
    put(vault, 2);
    silence.resolve();
    vault.silence = undefined;
    clock.advance(60_000);
    await settled(
      () => credentials.keys(),
      ({ accessKeyId }) => accessKeyId === 'hush-access-2',
      () => clock.advance(60),
    );
  });

  test('that were refused are asked for at once', async () => {
    await using world = await openWorld();
    const { vault, clock, credentials } = world;
    put(vault, 1);
    const keys = await credentials.keys();
    clock.advance(6_000);
    put(vault, 2);
    credentials.refused(keys);
    assert.equal((await credentials.keys()).accessKeyId, 'hush-access-2');
  });

  test('that are missing or forbidden are told so, with the setting', async () => {
    await using world = await openWorld();
    const { vault, credentials } = world;
    const refuses = async (told: RegExp, of = credentials): Promise<void> =>
      await assert.rejects(of.keys(), (error) => {
        assert.ok(isArtifactstoreError(error, 'invalid_configuration'), String(error));
        assert.match(error.message, told);
        assert.doesNotMatch(inspect(error, { depth: 9 }), /hush/);
        return true;
      });
    vault.documents.set('s3', { version: 1, data: { access: 'hush-access-1' } });
    await refuses(/ARTIFACTSTORE_S3_SECRET_KEY_REF: there is no secret "s3#secret" in http/);
    vault.tokens.clear();
    await refuses(/ARTIFACTSTORE_S3_ACCESS_KEY_REF: secret:s3#access cannot be read\. .*\(403\)/);
    const { wait } = virtualClock();
    await refuses(/secret:s3#access is in no store: set ARTIFACTSTORE_SECRETS/, staticCredentials(references, { wait }));
  });
});

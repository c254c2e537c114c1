import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { type ErrorCode, isArtifactstoreError } from '../../../src/kernel/error.ts';
import { secretsConformance } from '../../../src/secrets/conformance.ts';
import type { Secrets, VaultAuth } from '../../../src/secrets/SECRETS.ts';
import { secretOf } from '../../../src/secrets/secret.ts';
import { type VaultOptions, vaultSecrets } from '../../../src/secrets/vault/vault.ts';
import { startVault, type VaultServer } from './vault-server.ts';

const directory = mkdtempSync(join(tmpdir(), 'vault-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const everything = { '': ['read', 'list', 'create', 'update'] };
const byToken: VaultAuth = { method: 'token', tokenRef: 'env:TOKEN' };

function openFor(vault: VaultServer, options: Partial<VaultOptions> = {}, place: { mount?: string; path?: string } = {}): Secrets {
  return vaultSecrets(
    { kind: 'vault', address: vault.url, mount: 'kv', path: 'team', ...place },
    { auth: byToken, environment: { TOKEN: 'hush-token' }, wait: async () => undefined, ...options },
  );
}

secretsConformance('vault, a stand-in', async () => {
  const vault = await startVault();
  vault.tokens.set('hush-token', everything);
  const secrets = openFor(vault);
  return {
    secrets,
    seed: async (values) => {
      for (const [name, value] of Object.entries(values)) vault.documents.set(`team/${name}`, { version: 1, data: { value } });
    },
    close: async () => {
      await secrets.close();
      await vault[Symbol.asyncDispose]();
    },
  };
});

async function refuses(asked: Promise<unknown>, code: ErrorCode, told: RegExp, hint?: RegExp): Promise<void> {
  await assert.rejects(asked, (error) => {
    assert.ok(isArtifactstoreError(error, code), `wanted ${code}, got ${String(error)}`);
    assert.match(error.message, told);
    if (hint !== undefined) assert.match(String(error.info?.hint), hint);
    assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /hush/);
    return true;
  });
}

describe('a vault', () => {
  test('that refuses is never read as one that has nothing', async () => {
    await using vault = await startVault();
    const secrets = openFor(vault);
    await refuses(secrets.get('key'), 'secrets_forbidden', /may not be read with this token \(403\)/, /"read" on kv\/data\/team\/key/);
    await refuses(secrets.list(), 'secrets_forbidden', /may not be listed/, /"list" on kv\/metadata\/team/);
    vault.tokens.set('hush-token', { 'kv/data/team/a': ['read', 'create', 'update'] });
    assert.equal(await secrets.get('a'), undefined);
    await refuses(secrets.get('b'), 'secrets_forbidden', /may not be read/);
    vault.tokens.set('hush-token', { '': ['read'] });
    await refuses(secrets.writer!.probeWrite('a'), 'secrets_forbidden', /may not be written/, /"create" and "update"/);
    await refuses(secrets.writer!.put('a', secretOf('hush'), undefined), 'secrets_forbidden', /may not be written/);
    await secrets.close();
  });

  test('without the engine there, or with its first version, has not said that nothing is there', async () => {
    await using vault = await startVault();
    vault.tokens.set('hush-token', everything);
    for (const mount of ['old', 'none']) {
      const secrets = openFor(vault, {}, { mount });
      await refuses(secrets.get('key'), 'secrets_unavailable', new RegExp(`no key-value engine of version 2 at "${mount}"`), /MOUNT\/PATH/);
      await refuses(secrets.list(), 'secrets_unavailable', /no key-value engine/);
      await secrets.close();
    }
  });

  test('that is sealed, fails, is no Vault or is not there is unavailable', async () => {
    await using vault = await startVault();
    vault.tokens.set('hush-token', everything);
    const secrets = openFor(vault);
    vault.sealed = true;
    await refuses(secrets.get('key'), 'secrets_unavailable', /is sealed/, /unseal it/);
    vault.sealed = false;
    const page = () => ({ status: 200, text: '<html>hush-token</html>' });
    const failure = () => ({ status: 500, text: '{"errors":["hush-token"]}' });
    const elsewhere = () => ({ status: 307, text: '', location: 'http://127.0.0.1:1/' });
    vault.next.push(page);
    await refuses(secrets.get('key'), 'secrets_unavailable', /\(200\) otherwise than a Vault does/);
    vault.next.push(failure, failure, failure);
    await refuses(secrets.get('key'), 'secrets_unavailable', /the status 500/);
    vault.next.push(failure, failure);
    assert.equal(await secrets.get('key'), undefined);
    // A replica that is behind, and a limit of rate, pass.
    for (const status of [412, 429]) {
      const passing = () => ({ status, text: '{"errors":["hush-token"]}' });
      vault.next.push(passing, passing);
      assert.equal(await secrets.get('key'), undefined);
      vault.next.push(passing, passing, passing);
      await refuses(secrets.get('key'), 'secrets_unavailable', new RegExp(`the status ${status}`));
      vault.next.push(passing);
      await refuses(secrets.writer!.probeWrite('key'), 'secrets_unavailable', new RegExp(`the status ${status}`));
    }
    vault.next.push(elsewhere);
    await refuses(secrets.get('key'), 'secrets_unavailable', /the status 307/);
    vault.next.push(() => ({ status: 200, text: '{"data":{"data":null}}' }));
    await refuses(secrets.get('key'), 'secrets_unavailable', /no key-value engine/);
    vault.next.push(() => ({ status: 200, text: `{"a":"${'hush'.repeat(300_000)}"}` }));
    await refuses(secrets.get('key'), 'secrets_unavailable', /its answer is longer than what is asked for can be/);
    await secrets.close();
    const nowhere = openFor({ ...vault, url: 'http://127.0.0.1:1' });
    await refuses(nowhere.get('key'), 'secrets_unavailable', /nothing listens there/);
    await refuses(nowhere.writer!.probeWrite('key'), 'secrets_unavailable', /nothing listens there\.$/);
    await nowhere.close();
    const cutting = createServer((socket) => socket.once('data', () => socket.destroy())).listen(0, '127.0.0.1');
    await once(cutting, 'listening');
    const cut = openFor({ ...vault, url: `http://127.0.0.1:${(cutting.address() as AddressInfo).port}` });
    await refuses(cut.writer!.probeWrite('key'), 'secrets_unavailable', /was cut; whether it has done what it was asked is not known\.$/);
    await refuses(cut.get('key'), 'secrets_unavailable', /the connection was cut\.$/);
    await cut.close();
    cutting.close();
  });

  test('keeps the other fields of a document, and continues behind a deleted version', async () => {
    await using vault = await startVault();
    vault.tokens.set('hush-token', everything);
    const secrets = openFor(vault);
    vault.documents.set('team/s3', { version: 4, data: { access_key: 'hush-a', number: 7 } });
    assert.equal((await secrets.get('s3#access_key'))?.value.reveal(), 'hush-a');
    assert.equal(await secrets.get('s3'), undefined);
    await refuses(secrets.get('s3#number'), 'secret_unusable', /is no text/);
    await secrets.writer!.put('s3#secret_key', secretOf('hush-b'), undefined);
    assert.deepEqual(vault.documents.get('team/s3'), { version: 5, data: { access_key: 'hush-a', number: 7, secret_key: 'hush-b' } });
    vault.documents.set('team/gone', { version: 3, data: null });
    assert.equal(await secrets.get('gone'), undefined);
    assert.equal(await secrets.writer!.put('gone', secretOf('hush-c'), undefined), '4');
    await secrets.close();
  });

  test('is asked again, once, with another token when it refuses one', async () => {
    await using vault = await startVault();
    const tokenFile = join(directory, 'token');
    writeFileSync(tokenFile, 'hush-old\n', { mode: 0o600 });
    vault.tokens.set('hush-new', everything);
    const secrets = openFor(vault, { auth: { method: 'token', tokenRef: `file:${tokenFile}` } });
    await refuses(secrets.get('key'), 'secrets_forbidden', /may not be read/);
    writeFileSync(tokenFile, 'hush-new\n');
    assert.equal(await secrets.get('key'), undefined);
    await secrets.close();
  });

  test('is logged in to by AppRole, Kubernetes and JWT, before a token ends and when it has', async () => {
    await using vault = await startVault();
    const jwt = join(directory, 'jwt');
    writeFileSync(jwt, 'hush-jwt', { mode: 0o600 });
    const role = JSON.stringify({ role: 'registry', jwt: 'hush-jwt' });
    const methods: readonly (readonly [VaultAuth, string, string])[] = [
      [
        { method: 'approle', mount: 'approle', roleIdRef: 'env:ROLE', secretIdRef: 'env:SECRET' },
        'auth/approle/login',
        JSON.stringify({ role_id: 'hush-role', secret_id: 'hush-secret' }),
      ],
      [{ method: 'kubernetes', mount: 'kubernetes', role: 'registry', tokenFile: jwt }, 'auth/kubernetes/login', role],
      [{ method: 'jwt', mount: 'jwt/nomad', role: 'registry', tokenFile: jwt }, 'auth/jwt/nomad/login', role],
    ];
    for (const [auth, path, body] of methods) {
      let now = 1_000_000;
      const secrets = openFor(vault, { auth, environment: { ROLE: 'hush-role', SECRET: 'hush-secret' }, now: () => now });
      const logins = (): number => vault.asked.filter((each) => each === `POST /v1/${path}`).length;
      for (const text of ['{}', '{"auth":{}}', '{"auth":{"client_token":""}}']) {
        vault.next.push(() => ({ status: 200, text }));
        await refuses(secrets.get('key'), 'secrets_unavailable', /answers a login without a token/);
      }
      vault.logins.clear();
      await refuses(secrets.get('key'), 'secrets_forbidden', /does not take .* \(400\) at auth\//);
      vault.logins.set(body, { path, token: `hush-${auth.method}`, seconds: 3600 });
      const before = logins();
      await Promise.all(Array.from({ length: 5 }, (_, index) => secrets.get(`key-${index}`)));
      assert.equal(logins() - before, 1, 'however many ask, one logs in');
      now += 3_569_000;
      await secrets.get('key');
      assert.equal(logins() - before, 1);
      now += 2_000;
      await secrets.get('key');
      assert.equal(logins() - before, 2, 'before it ends');
      vault.tokens.clear();
      await secrets.get('key');
      assert.equal(logins() - before, 3, 'revoked');
      await secrets.close();
    }
  });

  test('gets no token from a file that others can read', async () => {
    await using vault = await startVault();
    const tokenFile = join(directory, 'open');
    writeFileSync(tokenFile, 'hush-token', { mode: 0o644 });
    const secrets = openFor(vault, { auth: { method: 'token', tokenRef: `file:${tokenFile}` } });
    await refuses(secrets.get('key'), 'invalid_configuration', /ARTIFACTSTORE_VAULT_TOKEN_REF: .* run chmod 600/);
    assert.deepEqual(vault.asked, []);
    await secrets.close();
  });

  test('that no token was set for is told so, and not that the setting is malformed', async () => {
    await using vault = await startVault();
    const secrets = openFor(vault, { auth: { method: 'token', tokenRef: '' } });
    await refuses(secrets.get('key'), 'invalid_configuration', /ARTIFACTSTORE_VAULT_TOKEN_REF: nothing is set: it must be env:NAME or/);
    await secrets.close();
  });
});

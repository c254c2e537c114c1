import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SignJWT } from 'jose';
import { type ErrorCode, isArtifactstoreError } from '../../src/kernel/error.ts';
import { secretsConformance } from '../../src/secrets/conformance.ts';
import type { Secrets, VaultAuth } from '../../src/secrets/SECRETS.ts';
import { secretOf } from '../../src/secrets/secret.ts';
import { vaultSecrets } from '../../src/secrets/vault/vault.ts';
import { type OpenBao, startOpenBao, whyNoOpenBao } from './openbao.ts';

const opened = new AsyncDisposableStack();
let bao: OpenBao;
let places = 0;

function openAt(path: string, auth: VaultAuth, environment: Readonly<Record<string, string>> = {}, mount = 'secret'): Secrets {
  return vaultSecrets({ kind: 'vault', address: bao.url, mount, path }, { auth, environment });
}
const asRoot = (path: string, mount?: string): Secrets =>
  openAt(path, { method: 'token', tokenRef: 'env:TOKEN' }, { TOKEN: bao.token }, mount);

async function fails(asked: Promise<unknown>, code: ErrorCode, told: RegExp): Promise<void> {
  await assert.rejects(asked, (error) => {
    assert.ok(isArtifactstoreError(error, code), `wanted ${code}, got ${String(error)}`);
    assert.match(error.message, told);
    return true;
  });
}

describe('a real OpenBao', { skip: whyNoOpenBao() ?? false }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'openbao-test-'));
  before(async () => {
    bao = opened.use(await startOpenBao());
  });
  after(async () => {
    await opened.disposeAsync();
    rmSync(directory, { recursive: true, force: true });
  });

  secretsConformance('OpenBao', async () => {
    const path = `case-${places++}`;
    const secrets = asRoot(path);
    return {
      secrets,
      seed: async (values) => {
        for (const [name, value] of Object.entries(values)) await bao.call('POST', `secret/data/${path}/${name}`, { data: { value } });
      },
      close: () => secrets.close(),
    };
  });

  test('continues behind a version that was deleted, destroyed, or removed with its history', async () => {
    const secrets = asRoot('deleted');
    const version = await secrets.writer!.put('a', secretOf('hush-1'), undefined);
    await bao.call('DELETE', 'secret/data/deleted/a');
    assert.equal(await secrets.get('a'), undefined);
    assert.equal(await secrets.writer!.put('a', secretOf('hush-2'), undefined), '2');
    await bao.call('PUT', 'secret/destroy/deleted/a', { versions: [2] });
    assert.equal(await secrets.get('a'), undefined);
    await fails(secrets.writer!.put('a', secretOf('hush-3'), version), 'secret_conflict', /is not what it was/);
    await bao.call('DELETE', 'secret/metadata/deleted/a');
    assert.equal(await secrets.writer!.put('a', secretOf('hush-3'), undefined), '1');
    await secrets.close();
  });

  test('is logged in to by AppRole and by a signed token, and never says missing for what a policy forbids', async () => {
    const policy =
      'path "secret/data/team/*" { capabilities = ["read", "create", "update"] }\npath "secret/data/seen" { capabilities = ["read"] }';
    await bao.call('PUT', 'sys/policies/acl/team', { policy });
    await bao.call('POST', 'sys/auth/approle', { type: 'approle' });
    await bao.call('POST', 'auth/approle/role/team', { token_policies: ['team'], token_ttl: '60s' });
    const { role_id } = await bao.call('GET', 'auth/approle/role/team/role-id');
    const { secret_id } = await bao.call('POST', 'auth/approle/role/team/secret-id');
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await bao.call('POST', 'sys/auth/jwt', { type: 'jwt' });
    await bao.call('POST', 'auth/jwt/config', {
      jwt_supported_algs: ['ES256'],
      jwt_validation_pubkeys: [publicKey.export({ type: 'spki', format: 'pem' })],
    });
    const bound = { role_type: 'jwt', user_claim: 'sub', bound_audiences: ['vault'], token_policies: ['team'], token_ttl: '60s' };
    await bao.call('POST', 'auth/jwt/role/team', bound);
    const jwt = await new SignJWT({})
      .setProtectedHeader({ alg: 'ES256' })
      .setSubject('job')
      .setAudience('vault')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey);
    const tokenFile = join(directory, 'jwt');
    writeFileSync(tokenFile, jwt, { mode: 0o600 });
    const methods: readonly VaultAuth[] = [
      { method: 'approle', mount: 'approle', roleIdRef: 'env:ROLE', secretIdRef: 'env:SECRET' },
      { method: 'jwt', mount: 'jwt', role: 'team', tokenFile },
    ];
    for (const auth of methods) {
      const environment = { ROLE: String(role_id), SECRET: String(secret_id) };
      const team = openAt('team', auth, environment);
      assert.equal(await team.get(`none-${auth.method}`), undefined);
      await team.writer!.put(auth.method, secretOf('hush'), undefined);
      await team.writer!.probeWrite('some/where');
      await fails(team.list(), 'secrets_forbidden', /may not be listed/);
      const top = openAt('', auth, environment);
      assert.equal(await top.get('seen'), undefined);
      await fails(top.get('other'), 'secrets_forbidden', /may not be read with this token \(403\)/);
      await fails(top.writer!.probeWrite('seen'), 'secrets_forbidden', /may not be written/);
      // Every token of it is revoked: it logs in again.
      await bao.call('PUT', `sys/leases/revoke-prefix/auth/${auth.method}`);
      assert.equal((await team.get(auth.method))?.value.reveal(), 'hush');
      await Promise.all([team.close(), top.close()]);
    }
    const stranger = openAt('team', methods[0]!, { ROLE: String(role_id), SECRET: 'nonsense' });
    await fails(stranger.get('a'), 'secrets_forbidden', /does not take the role and secret id of AppRole \(400\)/);
    await stranger.close();
  });

  test('that has no such mount, or the first version of the engine there, has not said that nothing is there', async () => {
    await bao.call('POST', 'sys/mounts/old', { type: 'kv', options: { version: '1' } });
    for (const mount of ['old', 'none']) {
      const secrets = asRoot('', mount);
      await fails(secrets.get('a'), 'secrets_unavailable', /has no key-value engine of version 2/);
      await fails(secrets.list(), 'secrets_unavailable', /has no key-value engine of version 2/);
      await secrets.close();
    }
  });

  test('that is sealed or gone is unavailable, and everything is there when it is back', async () => {
    const secrets = asRoot('sealed');
    const version = await secrets.writer!.put('a', secretOf('hush'), undefined);
    await bao.seal();
    await fails(secrets.get('a'), 'secrets_unavailable', /is sealed/);
    await bao.unseal();
    await bao.crash();
    await fails(secrets.get('a'), 'secrets_unavailable', /nothing listens there|the connection was cut/);
    await bao.restart();
    await fails(secrets.get('a'), 'secrets_unavailable', /is sealed/);
    await bao.unseal();
    assert.equal((await secrets.get('a'))?.version, version);
    await secrets.close();
  });
});

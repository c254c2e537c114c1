import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readConfig } from '../../src/config/config.ts';

const read = (environment: Readonly<Record<string, string>>) => readConfig(environment, { directory: '/nonexistent' });
const vault = 'vault:https://vault.example:8200/kv/team';

test('a store of secrets is named, and how a vault is shown who asks', () => {
  const byRole = { method: 'approle', mount: 'approle/two', roleIdRef: 'env:ROLE', secretIdRef: 'file:/run/secret-id' };
  assert.deepEqual(
    read({
      ARTIFACTSTORE_SECRETS: vault,
      ARTIFACTSTORE_VAULT_AUTH: 'AppRole',
      ARTIFACTSTORE_VAULT_AUTH_MOUNT: 'auth/approle/two/',
      ARTIFACTSTORE_VAULT_ROLE_ID_REF: 'env:ROLE',
      ARTIFACTSTORE_VAULT_SECRET_ID_REF: 'file:/run/secret-id',
      ARTIFACTSTORE_VAULT_NAMESPACE: 'team',
      ROLE: 'hush',
    }).secrets,
    { store: { kind: 'vault', address: 'https://vault.example:8200', mount: 'kv', path: 'team' }, auth: byRole, namespace: 'team' },
  );
  assert.deepEqual(read({ ARTIFACTSTORE_VAULT_AUTH: 'kubernetes', ARTIFACTSTORE_VAULT_ROLE: 'registry' }).secrets, {
    store: undefined,
    auth: { method: 'kubernetes', mount: 'kubernetes', role: 'registry', tokenFile: '/var/run/secrets/kubernetes.io/serviceaccount/token' },
    namespace: undefined,
  });
});

test('what is wrong with them is refused by its name', () => {
  for (const [environment, told] of [
    [{ ARTIFACTSTORE_SECRETS: 'file:here' }, /ARTIFACTSTORE_SECRETS: file: needs the absolute path/],
    [{ ARTIFACTSTORE_VAULT_AUTH: 'ldap' }, /ARTIFACTSTORE_VAULT_AUTH: /],
    [{ ARTIFACTSTORE_VAULT_TOKEN_REF: 'hush' }, /ARTIFACTSTORE_VAULT_TOKEN_REF: must be env:NAME, file:/],
    [{ ARTIFACTSTORE_VAULT_AUTH_MOUNT: '../sys' }, /ARTIFACTSTORE_VAULT_AUTH_MOUNT: must be the path/],
    [{ ARTIFACTSTORE_SECRETS: vault, ARTIFACTSTORE_VAULT_AUTH: 'jwt' }, /ARTIFACTSTORE_VAULT_ROLE: is needed with/],
  ] as const)
    assert.throws(() => read(environment), told);
});

test('a directory that somebody else wrote cannot send a token to a vault of its own', () => {
  const directory = mkdtempSync(join(tmpdir(), 'secrets-env-'));
  try {
    writeFileSync(join(directory, '.env'), `ARTIFACTSTORE_SECRETS=${vault}\n`);
    const environment = { ARTIFACTSTORE_VAULT_TOKEN_REF: 'env:VAULT_TOKEN', VAULT_TOKEN: 'hush' };
    assert.throws(() => readConfig(environment, { directory }), /ARTIFACTSTORE_SECRETS: is no address for VAULT_TOKEN/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openTestRegistry, type TestRegistry } from '../registry/open-registry.ts';
import { openStrictStore } from '../s3-stand-in/strict-store.ts';
import { startVault } from '../secrets/vault/vault-server.ts';

test('a bucket whose keys are in a vault alone', async () => {
  await using bucket = await openStrictStore();
  await using vault = await startVault();
  vault.tokens.set('vault-token', { 'kv/data/registry/s3': ['read'] });
  vault.documents.set('registry/s3', { version: 1, data: { access_key: bucket.accessKeyId, secret_key: bucket.secretAccessKey } });
  await using store = await openTestRegistry({
    ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
    ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 's3',
    ARTIFACTSTORE_S3_ENDPOINT_URL: bucket.url,
    ARTIFACTSTORE_S3_BUCKET: 'artifacts',
    ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'secret:s3#access_key',
    ARTIFACTSTORE_S3_SECRET_KEY_REF: 'secret:s3#secret_key',
    ARTIFACTSTORE_SECRETS: `vault:${vault.url}/kv/registry`,
    ARTIFACTSTORE_VAULT_TOKEN_REF: 'env:VAULT_TOKEN',
    VAULT_TOKEN: 'vault-token',
  });
  await storesAFile(store, bucket);
});

test('a bucket whose keys are of the last rotation, in a vault that is shown a role', async () => {
  await using bucket = await openStrictStore();
  await using vault = await startVault();
  vault.logins.set(JSON.stringify({ role_id: 'role', secret_id: 'hush' }), {
    path: 'auth/approle/login',
    token: 'of-the-role',
    seconds: 600,
  });
  const proxy = { access_key_id: bucket.accessKeyId, secret_access_key: bucket.secretAccessKey };
  const keep = (name: string, value: unknown) =>
    vault.documents.set(`registry/provider/${name}`, { version: 1, data: { value: JSON.stringify(value) } });
  keep('generations/1', { format: 1, generation: 1, admin: proxy, proxy });
  keep('current', { format: 1, generation: 1 });
  await using store = await openTestRegistry({
    ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
    ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 's3',
    ARTIFACTSTORE_S3_ENDPOINT_URL: bucket.url,
    ARTIFACTSTORE_S3_BUCKET: 'artifacts',
    ARTIFACTSTORE_S3_CREDENTIALS: 'generation',
    ARTIFACTSTORE_S3_GENERATIONS: `vault:${vault.url}/kv/registry`,
    ARTIFACTSTORE_VAULT_AUTH: 'approle',
    ARTIFACTSTORE_VAULT_ROLE_ID_REF: 'env:ROLE_ID',
    ARTIFACTSTORE_VAULT_SECRET_ID_REF: 'env:SECRET_ID',
    ROLE_ID: 'role',
    SECRET_ID: 'hush',
  });
  await storesAFile(store, bucket);
});

async function storesAFile(store: TestRegistry, bucket: Awaited<ReturnType<typeof openStrictStore>>): Promise<void> {
  const registry = store.as('tester');
  const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
  const body = (async function* () {
    yield Buffer.from('bytes');
  })();
  await registry.files.add(record.id, { relative_path: 'a', body });
  await store.operator.settleHeld();
  assert.equal(bucket.objects('artifacts').filter((key) => key !== 'registry.json').length, 1);
}

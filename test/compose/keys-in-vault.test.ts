import assert from 'node:assert/strict';
import { mkdirSync, renameSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { secretOf } from '../../src/secrets/secret.ts';
import { openPrivateFolder } from '../provider/private-file.ts';
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
  bucket.revoke(bucket.accessKeyId);
  const { backend } = await store.as('tester').health();
  assert.match(backend.detail, /refuses the keys of generation 1.*ARTIFACTSTORE_S3_GENERATIONS/);
});

test('a bucket whose keys work, while the place that they came from is gone, is healthy with a warning', async () => {
  await using bucket = await openStrictStore();
  using folder = openPrivateFolder();
  const { writer } = folder.secrets;
  const proxy = { access_key_id: bucket.accessKeyId, secret_access_key: bucket.secretAccessKey };
  const generation = { format: 1, generation: 1, admin: proxy, proxy };
  await writer!.put('provider/generations/1', secretOf(JSON.stringify(generation)), undefined);
  await writer!.put('provider/current', secretOf(JSON.stringify({ format: 1, generation: 1 })), undefined);
  await using store = await openTestRegistry({
    ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
    ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 's3',
    ARTIFACTSTORE_S3_ENDPOINT_URL: bucket.url,
    ARTIFACTSTORE_S3_BUCKET: 'artifacts',
    ARTIFACTSTORE_S3_CREDENTIALS: 'generation',
    ARTIFACTSTORE_S3_GENERATIONS: `file:${folder.secrets.place}`,
  });
  await storesAFile(store, bucket);
  const health = async () => (await store.as('tester').health()).backend;
  const { keys_unread_seconds: before, detail } = await health();
  assert.deepEqual([before, detail], [undefined, 'ok']);
  renameSync(folder.secrets.place, `${folder.secrets.place}-away`);
  // The mount point stays.
  mkdirSync(folder.secrets.place, { mode: 0o700 });
  const later = await untilTrue(health, (backend) => backend.keys_unread_seconds !== undefined);
  assert.equal(later.healthy, true);
  assert.match(
    later.detail,
    /^ok; its keys could not be read again for \d+ seconds, and those that were read stay in use: .*is an empty directory/,
  );
  renameSync(`${folder.secrets.place}-away`, folder.secrets.place);
  assert.equal((await untilTrue(health, (backend) => backend.keys_unread_seconds === undefined)).detail, 'ok');
});

async function untilTrue<T>(ask: () => Promise<T>, isRight: (value: T) => boolean): Promise<T> {
  for (let left = 1_200; ; left -= 1) {
    const value = await ask();
    if (isRight(value) || left === 0) return value;
    await sleep(50);
  }
}

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

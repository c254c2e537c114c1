import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { certifyS3 } from '../../src/compose/certify-s3.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { openTestRegistry } from '../registry/open-registry.ts';
import { openStrictStore, type StrictStore } from '../s3-stand-in/strict-store.ts';

const settings = (name: string, bucket: StrictStore): Readonly<Record<string, string>> => ({
  [`ARTIFACTSTORE_S3_${name}_ENDPOINT_URL`]: bucket.url,
  [`ARTIFACTSTORE_S3_${name}_BUCKET`]: 'artifacts',
  [`ARTIFACTSTORE_S3_${name}_ACCESS_KEY_REF`]: `env:ACCESS_${name}`,
  [`ARTIFACTSTORE_S3_${name}_SECRET_KEY_REF`]: `env:SECRET_${name}`,
  [`ACCESS_${name}`]: bucket.accessKeyId,
  [`SECRET_${name}`]: bucket.secretAccessKey,
});

test('two buckets, each with its own settings, keys and profile', async () => {
  await using hot = await openStrictStore();
  await using cold = await openStrictStore({ accessKeyId: 'AKIACOLD', secretAccessKey: 'cold-secret' });
  await using store = await openTestRegistry({
    ARTIFACTSTORE_STORAGE_BACKENDS: 'local,hot:s3,cold:s3',
    ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 'local',
    ARTIFACTSTORE_STORAGE_BACKEND_ROUTES: 'warm:*=hot,old:*=cold',
    ...settings('HOT', hot),
    ...settings('COLD', cold),
  });
  const registry = store.as('tester');
  const add = async (producer: string): Promise<void> => {
    const { record } = await registry.packages.create({ name: 'n', producer, subject: 's', retention_class: 'transient' });
    const body = (async function* () {
      yield Buffer.from(`bytes of ${producer}`);
    })();
    await registry.files.add(record.id, { relative_path: 'a', body });
    await store.operator.settleHeld();
  };
  const objects = (bucket: StrictStore) => bucket.objects('artifacts').filter((key) => key !== 'registry.json').length;

  await add('warm');
  assert.deepEqual([objects(hot), objects(cold)], [1, 0]);
  await add('old');
  assert.deepEqual([objects(hot), objects(cold)], [1, 1]);
  await add('near');
  assert.deepEqual([objects(hot), objects(cold)], [1, 1]);

  await store.operator.move({ from: 'hot', to: 'cold' });
  assert.equal(objects(cold), 2);

  // A message names the settings of the backend that it is about.
  await using lost = await store.reopen({ ARTIFACTSTORE_S3_COLD_BUCKET: 'nowhere' });
  const asked = lost.as('tester').packages.create({ name: 'n', producer: 'old', subject: 's', retention_class: 'transient' });
  const { record } = await asked;
  const body = (async function* () {
    yield Buffer.from('x');
  })();
  await assert.rejects(
    lost.as('tester').files.add(record.id, { relative_path: 'a', body }),
    (error: unknown) => isArtifactstoreError(error, 'storage_unavailable') && /ARTIFACTSTORE_S3_COLD_BUCKET/.test(error.message),
  );
});

test('each bucket is certified by its name, and its profile kept apart', async () => {
  await using hot = await openStrictStore();
  await using cold = await openStrictStore();
  const environment = { ARTIFACTSTORE_STORAGE_BACKENDS: 'hot:s3,cold:s3', ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 'hot' };
  await using store = await openTestRegistry({ ...environment, ...settings('HOT', hot), ...settings('COLD', cold) });
  const certify = (backendId?: string) =>
    certifyS3(store.config, { families: ['objects'], save: true, environment: {}, ...(backendId === undefined ? {} : { backendId }) });
  await assert.rejects(certify(), /several S3 backends: hot, cold/);
  await assert.rejects(certify('tepid'), /"tepid" is not one of the S3 backends that are configured: hot, cold/);
  await certify('cold');
  assert.match(readFileSync(join(store.directory, 'var/s3-cold-profile.json'), 'utf8'), new RegExp(cold.url));
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openPlatform, platformSettings } from './cosmo-stores.ts';
import { startDirectoryStore, whyNo } from './directory-store.ts';
import { minio, seaweedfs } from './kinds.ts';
import { allPassed, smokeAt } from './smoke-at.ts';

const why = whyNo(minio) ?? whyNo(seaweedfs) ?? false;

test('smoke passes on MinIO, on SeaweedFS by the endpoint alone, and on MinIO by the way back', { skip: why }, async (context) => {
  await using first = await startDirectoryStore(minio);
  await using second = await startDirectoryStore(seaweedfs, first.keys);
  const { keys } = first;
  using place = openPlatform(first, 'auto');
  const settings = (): string => readFileSync(place.path('artifacts.env'), 'utf8');
  const init = async (): Promise<unknown> => await place.json('store', 'init', '--settings', 'artifacts.env');
  const passes = async (): Promise<void> => {
    const { code, results, page } = await smokeAt(place, keys.secretAccessKey);
    assert.deepEqual([code, results], [0, allPassed], page);
    context.diagnostic(page);
  };
  await init();
  await passes();
  const before = settings();
  place.write({ 'artifacts.env': platformSettings({ url: second.url, keys }, 'auto') });
  const now = settings().split('\n');
  assert.deepEqual(
    before.split('\n').filter((line, at) => line !== now[at]),
    [`S3_ENDPOINT_URL=${first.url}`],
  );
  const without = await smokeAt(place, keys.secretAccessKey);
  assert.deepEqual([without.code, without.results[0]], [1, 'bucket failed'], 'there is no bucket yet');
  await init();
  await passes();
  place.write({ 'artifacts.env': before });
  await passes();
});

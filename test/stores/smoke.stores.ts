import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPlatform } from './cosmo-stores.ts';
import { startDirectoryStore, whyNo } from './directory-store.ts';
import { minio } from './kinds.ts';
import { allPassed, smokeAt } from './smoke-at.ts';

test('smoke passes on MinIO, and fails fast when that is stopped', { skip: whyNo(minio) ?? false }, async (context) => {
  const store = await startDirectoryStore(minio);
  const { secretAccessKey } = store.keys;
  using place = openPlatform(store, 'auto');
  try {
    const { code, results } = await smokeAt(place, secretAccessKey);
    assert.deepEqual([code, results[0]], [1, 'bucket failed'], 'there is no bucket yet');
    await place.json('store', 'init', '--settings', 'artifacts.env');
    const passed = await smokeAt(place, secretAccessKey);
    assert.deepEqual([passed.code, passed.results], [0, allPassed], passed.page);
    context.diagnostic(passed.page);
  } finally {
    await store[Symbol.asyncDispose]();
  }
  const stopped = await smokeAt(place, secretAccessKey);
  // It fails fast: what needs the store is not begun.
  assert.deepEqual([stopped.code, stopped.results], [6, ['bucket failed', 'probe not_run', 'posture not_run', 'scan passed']]);
  assert.match(stopped.page, /nothing listens there.*Do this: start the store/);
  context.diagnostic(stopped.page);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EvidenceIndex } from '../../src/cli/smoke/evidence-index.ts';
import { openPlatform, platformSettings } from './cosmo-stores.ts';
import { startDirectoryStore, whyNo } from './directory-store.ts';
import { minio, seaweedfs } from './kinds.ts';

const why = whyNo(minio) ?? whyNo(seaweedfs) ?? false;

test('smoke passes on MinIO, on SeaweedFS by the endpoint alone, and fails fast when that is stopped', { skip: why }, async () => {
  await using first = await startDirectoryStore(minio);
  const { keys } = first;
  using place = openPlatform(first, 'auto');
  const settings = ['--settings', 'artifacts.env'];
  const smoke = async () => {
    const { code, stdout, stderr } = await place.run('smoke', ...settings, '--evidence', 'evidence', '--json');
    for (const text of [stdout, stderr]) assert.equal(text.includes(keys.secretAccessKey), false);
    assert.ok(stdout.startsWith('{'), stderr);
    const index = JSON.parse(stdout) as EvidenceIndex & { readonly evidence: string };
    return { code, index, results: index.steps.map(({ step, result }) => `${step} ${result}`) };
  };
  const passed = ['bucket passed', 'probe passed', 'posture not_run', 'scan passed'];

  await place.json('store', 'init', ...settings);
  const onMinio = await smoke();
  assert.deepEqual([onMinio.code, onMinio.results], [0, passed], JSON.stringify(onMinio.index));

  const second = await startDirectoryStore(seaweedfs, keys);
  try {
    const before = readFileSync(place.path('artifacts.env'), 'utf8');
    place.write({ 'artifacts.env': platformSettings({ url: second.url, keys }, 'auto') });
    const changed = before.split('\n').filter((line, at) => line !== readFileSync(place.path('artifacts.env'), 'utf8').split('\n')[at]);
    assert.deepEqual(changed, [`S3_ENDPOINT_URL=${first.url}`]);
    const without = await smoke();
    assert.deepEqual([without.code, without.results[0]], [1, 'bucket failed']);
    await place.json('store', 'init', ...settings);
    const onSeaweed = await smoke();
    assert.deepEqual([onSeaweed.code, onSeaweed.results], [0, passed], JSON.stringify(onSeaweed.index));
  } finally {
    await second[Symbol.asyncDispose]();
  }
  const begun = performance.now();
  const stopped = await smoke();
  assert.ok(performance.now() - begun < 10_000);
  assert.deepEqual([stopped.code, stopped.results], [6, ['bucket failed', 'probe not_run', 'posture not_run', 'scan passed']]);
  assert.match(readFileSync(join(stopped.index.evidence, 'index.md'), 'utf8'), /nothing listens there.*Do this: start the store/);
});

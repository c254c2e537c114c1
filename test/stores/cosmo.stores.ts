import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListBucketsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { InitReport, StoreProbeReport } from '../../src/certify/shape/reports.ts';
import { finished, type Workplace } from '../cli/workplace.ts';
import { baselineDocument, documentedDeviations, foundDeviations } from './cosmo-results.ts';
import { openPlatform, platformStores } from './cosmo-stores.ts';
import { clientOf, type RealStore } from './store.ts';

for (const { name, region, missing, open } of platformStores)
  describe(`the store of a platform: ${name}`, { skip: missing() ?? false }, () => {
    test('gets its bucket once, and is what docs/baseline.md says of it, also after a run that was killed', async (context) => {
      await using store = await open();
      using place = openPlatform(store, region);
      const options = ['--settings', 'artifacts.env'];
      const first = await place.json<InitReport & Record<string, unknown>>('store', 'init', ...options);
      assert.equal(first.bucket, 'made');
      const made = await bucketsOf(store);
      const second = await place.json<InitReport & Record<string, unknown>>('store', 'init', ...options);
      assert.deepEqual([second.bucket, second.requests], ['there', { reading: 1, writing: 0 }]);
      // The store's own record of when it was made.
      assert.deepEqual(await bucketsOf(store), made);

      const probing = ['store', 'probe', ...options, '--shape', 'cosmo'];
      await killInTheMiddle(place, probing, store);
      // A run that does not show that it is at work is dead after half a minute.
      await sleep(35_000);
      const { stdout, stderr } = await place.run(...probing, '--json');
      assert.ok(stdout.startsWith('{'), stderr);
      const report = JSON.parse(stdout) as StoreProbeReport;
      assert.equal(report.cleaned.length, 1);
      assert.deepEqual(await keysOf(store), []);
      for (const text of [stdout, stderr]) assert.equal(text.includes(store.keys.secretAccessKey), false);
      const result = { name, version: store.version, report };
      const documented = documentedDeviations(readFileSync(baselineDocument, 'utf8'), result);
      if (documented === undefined) context.diagnostic(`docs/baseline.md speaks of no ${name} ${store.version}`);
      else assert.deepEqual(foundDeviations(result), documented);
    });
  });

/** A run that comes to its end while nobody looks leaves nothing, and is made again. */
async function killInTheMiddle(place: Workplace, command: readonly string[], store: RealStore): Promise<void> {
  for (let attempt = 1; attempt <= 5; attempt++) {
    const child = place.start(...command);
    let isRunning = true;
    const ending = finished(child).finally(() => {
      isRunning = false;
    });
    while (isRunning && (await keysOf(store)).length < 20) await sleep(100);
    child.kill('SIGKILL');
    await ending;
    if ((await keysOf(store)).length > 0) return;
  }
  assert.fail('no run was ever seen at work');
}

async function bucketsOf(store: RealStore) {
  const client = clientOf(store);
  const { Buckets = [] } = await client.send(new ListBucketsCommand({})).finally(() => client.destroy());
  return Buckets.map(({ Name, CreationDate }) => [Name, CreationDate?.toISOString()]);
}

async function keysOf(store: RealStore): Promise<readonly (string | undefined)[]> {
  const client = clientOf(store);
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: 'cosmo' })).finally(() => client.destroy());
  return Contents.map(({ Key }) => Key);
}

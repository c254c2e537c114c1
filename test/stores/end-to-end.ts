import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Manifest } from '../../src/kernel/manifest.ts';
import type { Health } from '../../src/registry/REGISTRY.ts';
import type { Collection, Sweep } from '../../src/registry/upkeep/OPERATOR.ts';
import { describeTree } from '../cli/tree.ts';
import type { RunningServer, Workplace } from '../cli/workplace.ts';
import { contentOf } from './bucket-content.ts';
import { keyPrefix, openPlace, type PlaceOptions } from './place.ts';
import { clientOf, type RealStore } from './store.ts';

interface Pushed extends Record<string, unknown> {
  readonly package_id: string;
  readonly file_count: number;
  readonly total_bytes: number;
  readonly uploaded_bytes: number;
}

export interface Ground extends PlaceOptions {
  readonly store: RealStore;
  readonly bucket: string;
  /** Below which everything of the test lies, where others have something in the bucket too. */
  readonly prefix?: string;
}

const mebibyte = 1_048_576;

/** A package's whole life, by the command line and over HTTP, with nothing but a bucket for its bytes. */
export function endToEndOn(name: string, ground: () => Promise<Ground>): void {
  describe(`from push to collection ${name}`, () => {
    let store: RealStore;
    let bucket: string;
    let prefix: string;
    let content: () => ReturnType<typeof contentOf>;
    let place: Workplace;
    let server: RunningServer;
    let kept: Pushed;
    let brief: Pushed;
    const large = randomBytes(20 * mebibyte);
    const medium = randomBytes(6 * mebibyte);
    const small = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`kept/small/${index}`, randomBytes(1 + index * 997)]));
    const smallBytes = Object.values(small).reduce((sum, bytes) => sum + bytes.byteLength, 0);

    before(async () => {
      const prepared = await ground();
      ({ store, bucket, prefix = keyPrefix } = prepared);
      content = () => contentOf(store, bucket, prepared.prefix === undefined ? '' : `${prefix}/`);
      place = openPlace(store, bucket, {
        ...prepared,
        environment: { ...prepared.environment, ARTIFACTSTORE_S3_KEY_PREFIX: prefix },
      });
      place.write({
        ...small,
        'kept/empty': '',
        'kept/.hidden ü %2F': 'odd',
        'kept/large': large,
        'kept/medium': medium,
        'brief/large too': large,
        'brief/alone': randomBytes(20 * mebibyte),
        'brief/alone and small': randomBytes(5000),
      });
      if (prepared.databaseUrl !== undefined) await place.json('migrate');
      server = await place.serve('serve', '--port', '0');
    });
    after(() => place?.[Symbol.dispose]());

    test('health knows the bucket', async () => {
      const health = await place.json<Health & Record<string, unknown>>('health');
      assert.deepEqual([health.status, health.backend.backend_id, health.backend.healthy], ['ok', 's3', true]);
    });

    test('a tree goes in: empty, small, and in one request or in parts', async () => {
      kept = await place.json<Pushed>('push', 'kept', '--retention-class', 'permanent-record');
      assert.equal(kept.file_count, 34);
      assert.equal(kept.uploaded_bytes, smallBytes + 3 + large.byteLength + medium.byteLength);
      assert.equal((await place.json<Pushed>('push', 'kept')).uploaded_bytes, 0);
    });

    test('and comes back, whole, in ranges, and verified', async () => {
      await place.json('pull', kept.package_id, 'pulled');
      assert.deepEqual(describeTree(place.path('pulled')), describeTree(place.path('kept')));
      assert.equal((await place.json('verify', kept.package_id, 'kept')).ok, true);
      const url = `${server.url}/packages/${kept.package_id}/files/large`;
      const headers = { authorization: 'Bearer cli-test-token' };
      for (const [first, last] of [
        [0, 0],
        [mebibyte - 1, 3 * mebibyte],
        [5 * mebibyte - 10, 5 * mebibyte + 10],
        [large.byteLength - 5, large.byteLength - 1],
      ] as const) {
        const response = await fetch(url, { headers: { ...headers, range: `bytes=${first}-${last}` } });
        assert.equal(response.status, 206);
        assert.ok(Buffer.from(await response.arrayBuffer()).equals(large.subarray(first, last + 1)));
      }
    });

    test('what has expired is swept and collected, and the bucket holds what is alive and nothing else', async () => {
      brief = await place.json<Pushed>('push', 'brief', '--retention-class', 'brief');
      assert.equal(brief.uploaded_bytes, brief.total_bytes - large.byteLength);
      await sleep(1500);
      const { marked_package_ids } = await place.json<Sweep & Record<string, unknown>>('retention', 'sweep');
      assert.deepEqual(marked_package_ids, [brief.package_id]);
      const collection = await place.json<Collection & Record<string, unknown>>('retention', 'gc');
      assert.deepEqual(collection.collected_package_ids, [brief.package_id]);
      const live = smallBytes + 3 + large.byteLength + medium.byteLength;
      const [backend] = collection.backends;
      assert.deepEqual([backend?.backend_id, backend?.live_bytes, backend?.stored_bytes], ['s3', live, live]);
      const { bytes, keys, unfinished } = await content();
      assert.deepEqual([bytes, keys.length, unfinished], [live, kept.file_count, 0]);
      assert.ok(keys.every((key) => key.startsWith(`${prefix}/blake3/`)));
      assert.equal((await place.run('pull', brief.package_id, 'too-late')).code, 3);
    });

    test('verification reads the bucket, finds what somebody changed there, and a push repairs it', async () => {
      const verify = () => place.run('storage', 'verify', '--backend', 's3');
      const good = await verify();
      assert.deepEqual([good.code, good.stderr], [0, '']);
      const manifest = JSON.parse((await place.run('manifest', kept.package_id)).stdout) as Manifest;
      const Key = manifest.storage_receipts[manifest.files.findIndex((file) => file.relative_path === 'medium')]!.object_key;
      const changed = Buffer.from(medium);
      changed[5_555_555]! ^= 1;
      const client = clientOf(store);
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}/${Key}`, Body: changed })).finally(() => client.destroy());
      const bad = await verify();
      assert.equal(bad.code, 5);
      assert.ok(bad.stdout.includes(Key));
      assert.equal((await place.run('pull', kept.package_id, 'damaged')).code, 5);
      assert.ok((await place.json<Pushed>('push', 'kept')).uploaded_bytes > 0);
      await place.json('retention', 'gc');
      assert.equal((await verify()).code, 0);
      assert.equal((await place.json('verify', kept.package_id)).ok, true);
      assert.equal((await content()).bytes, smallBytes + 3 + large.byteLength + medium.byteLength);
    });

    test('the log is whole, and no key of the store was written anywhere', async () => {
      assert.equal((await place.json('events', 'verify')).ok, true);
      const { secretAccessKey } = store.keys;
      assert.ok(!server.log().includes(secretAccessKey));
      assert.equal(await server.signal('SIGTERM'), 0);
      const said = describeTree(place.path('var'));
      for (const path of said.keys()) assert.ok(!readFileSync(place.path('var', path)).includes(secretAccessKey), path);
    });
  });
}

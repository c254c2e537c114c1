import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListObjectVersionsCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import type { Collection } from '../../src/registry/upkeep/OPERATOR.ts';
import { startDirectoryStore, whyNo } from './directory-store.ts';
import { minio, seaweedfs } from './kinds.ts';
import { openPlace } from './place.ts';
import { startRgw, whyNoRgw } from './rgw.ts';
import { clientOf, type RealStore } from './store.ts';

const stores: readonly (readonly [name: string, missing: () => string | undefined, start: () => Promise<RealStore>])[] = [
  ['Ceph RGW', whyNoRgw, () => startRgw()],
  ['MinIO', () => whyNo(minio), () => startDirectoryStore(minio)],
  ['SeaweedFS', () => whyNo(seaweedfs), () => startDirectoryStore(seaweedfs)],
];

for (const [name, missing, start] of stores)
  describe(`a bucket of ${name} that keeps versions`, { skip: missing() ?? false }, () => {
    test('keeps the bytes of what is collected, which is said; nothing else is touched, and no version is deleted', async (context) => {
      await using store = await start();
      const bucket = await store.createBucket();
      const client = clientOf(store);
      const VersioningConfiguration = { Status: 'Enabled' } as const;
      await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
      const versions = async () => {
        const { Versions = [], DeleteMarkers = [], IsTruncated } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
        assert.notEqual(IsTruncated, true);
        const bytes = Versions.reduce((sum, { Size = 0 }) => sum + Size, 0);
        return { versions: Versions, bytes, marks: DeleteMarkers.length };
      };
      using place = openPlace(store, bucket, { environment: { ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0' } });
      const shared = randomBytes(300_000);
      place.write({ 'kept/one': randomBytes(200_000), 'kept/both': shared, 'brief/two': randomBytes(100_000), 'brief/both': shared });
      const server = await place.serve('serve', '--port', '0');
      const kept = await place.json<{ readonly package_id: string }>('push', 'kept', '--retention-class', 'permanent-record');
      const before = await versions();
      await place.json('push', 'brief', '--retention-class', 'brief');
      await sleep(1500);
      await place.json('retention', 'sweep');
      const said = await place.run('retention', 'gc');
      assert.equal(said.code, 0, said.stderr);
      assert.match(said.stderr, /what is deleted is not gone from a backend: the bucket \S+ keeps versions: the bytes .* lifecycle rule/);
      const after = await versions();
      context.diagnostic(`${before.bytes} bytes before, ${after.bytes} after; ${after.versions.length} versions, ${after.marks} marks`);
      assert.equal(after.bytes - before.bytes, 100_000, 'they stay');
      for (const { Key, VersionId } of before.versions)
        assert.ok(
          after.versions.some((each) => each.Key === Key && each.VersionId === VersionId && each.IsLatest === true),
          Key,
        );
      // What was collected is a new object when it comes again.
      const again = await place.json<{ readonly package_id: string }>('push', 'brief', '--retention-class', 'permanent-record');
      for (const { package_id } of [kept, again])
        assert.equal((await place.json('verify', package_id, package_id === kept.package_id ? 'kept' : 'brief')).ok, true);
      const second = await place.json<Collection & Record<string, unknown>>('retention', 'gc');
      const [backend] = second.backends;
      assert.deepEqual([backend?.stored_bytes, backend?.live_bytes], [600_000, 600_000], 'a list shows no old version');
      assert.equal((await place.run('storage', 'verify', '--backend', 's3')).code, 0);
      assert.equal(await server.signal('SIGTERM'), 0);
      client.destroy();
    });
  });

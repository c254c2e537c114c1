import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DeleteObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { markerKey } from '../src/storage/marker.ts';
import { startRgw, whyNoRgw } from '../test/stores/rgw.ts';
import { clientOf, type RealStore } from '../test/stores/store.ts';
import { type Artifactstore, startArtifactstore } from './server.ts';

/** A Ceph cluster with its S3 gateway whose objects lie in memory, and one bucket there. */
export interface Gateway extends AsyncDisposable {
  readonly store: RealStore;
  readonly bucket: string;
  /** Deletes every object but the marker of a store, and waits until its memory is free. */
  empty(): Promise<void>;
}

/** Undefined where Ceph is not installed. */
export async function startGateway(parent: string): Promise<Gateway | undefined> {
  if (whyNoRgw() !== undefined) return undefined;
  const directory = join(parent, 'ceph');
  mkdirSync(directory);
  // Its own collector stays away, so that it never runs beside what is measured.
  const store = await startRgw({ directory, configuration: ['rgw_enable_gc_threads = false', 'rgw_gc_obj_min_wait = 1'] });
  const client = clientOf(store);
  const bucket = await store.createBucket();
  return {
    store,
    bucket,
    async empty() {
      for (;;) {
        const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
        const Objects = Contents.flatMap(({ Key }) => (Key!.endsWith(markerKey) ? [] : [{ Key: Key! }]));
        if (Objects.length === 0) break;
        await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
      }
      const environment = { PATH: '/usr/bin:/bin', HOME: directory, CEPH_CONF: join(directory, 'ceph.conf') };
      await promisify(execFile)('radosgw-admin', ['-n', 'client.rgw', 'gc', 'process', '--include-all'], { env: environment });
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await store[Symbol.asyncDispose]();
    },
  };
}

/** A server that has nothing but the bucket for its bytes. */
export function startOnGateway(directory: string, { bucket, store }: Gateway): Promise<Artifactstore> {
  return startArtifactstore(directory, {
    ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
    ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 's3',
    ARTIFACTSTORE_S3_ENDPOINT_URL: store.url,
    ARTIFACTSTORE_S3_REGION: store.region,
    ARTIFACTSTORE_S3_BUCKET: bucket,
    ARTIFACTSTORE_S3_KEY_PREFIX: 'registry',
    ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:BENCH_ACCESS_KEY',
    ARTIFACTSTORE_S3_SECRET_KEY_REF: 'env:BENCH_SECRET_KEY',
    BENCH_ACCESS_KEY: store.keys.accessKeyId,
    BENCH_SECRET_KEY: store.keys.secretAccessKey,
  });
}

import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DeleteObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { startRgw, whyNoRgw } from '../test/stores/rgw.ts';
import { clientOf, type RealStore } from '../test/stores/store.ts';

/** A Ceph cluster with its S3 gateway whose objects lie in memory, and one bucket there. */
export interface Gateway extends AsyncDisposable {
  readonly store: RealStore;
  readonly bucket: string;
  /** Deletes every object, and waits until its memory is free. */
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
        if (Contents.length === 0) break;
        const Objects = Contents.map(({ Key }) => ({ Key: Key! }));
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

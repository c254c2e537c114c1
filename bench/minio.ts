import { PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { startDirectoryStore, whyNo } from '../test/stores/directory-store.ts';
import { minio } from '../test/stores/kinds.ts';
import { clientOf } from '../test/stores/store.ts';

/** A MinIO of one node and one drive, on the disk of temporary files. */
export interface Minio extends AsyncDisposable {
  /** Of a bucket in which everybody may read and write objects: no request has a signature to be checked. */
  readonly bucketUrl: string;
  readonly version: string;
}

/** Why there is none; undefined where `tools/stores/install-minio.sh` has made it. */
export function whyNoMinio(): string | undefined {
  return whyNo(minio);
}

export async function startMinio(): Promise<Minio> {
  const store = await startDirectoryStore(minio);
  const bucket = await store.createBucket();
  const client = clientOf(store);
  const statement = {
    Effect: 'Allow',
    Principal: '*',
    Action: ['s3:GetObject', 's3:PutObject'],
    Resource: [`arn:aws:s3:::${bucket}/*`],
  };
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: policy })).finally(() => client.destroy());
  return { bucketUrl: `${store.url}/${bucket}`, version: store.version, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

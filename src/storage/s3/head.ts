import { HeadBucketCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import type { S3Calls } from './client.ts';
import { isNothingThere } from './errors.ts';
import type { S3Settings } from './settings.ts';
import { storeKey } from './store-key.ts';

export interface FoundObject {
  readonly sizeBytes: number;
  /** Without its quotes. */
  readonly etag: string;
  readonly modifiedMilliseconds: number;
}

/** An answer to HEAD has no body, so 404 does not say whether the key or the bucket is missing: then the bucket is asked for too. */
export async function headObject(
  calls: S3Calls,
  settings: S3Settings,
  objectKey: string,
  signal: AbortSignal | undefined,
): Promise<FoundObject | undefined> {
  const Key = storeKey(settings, objectKey);
  const found = await calls.call({ doing: 'look at', key: objectKey }, signal, async (client, abortSignal) => {
    const options = abortSignal === undefined ? {} : { abortSignal };
    try {
      return await client.send(new HeadObjectCommand({ Bucket: settings.bucket, Key }), options);
    } catch (error) {
      if (!isNothingThere(error)) throw error;
      await client.send(new HeadBucketCommand({ Bucket: settings.bucket }), options);
      return undefined;
    }
  });
  if (found === undefined) return undefined;
  return {
    sizeBytes: found.ContentLength ?? 0,
    etag: (found.ETag ?? '').replaceAll('"', ''),
    modifiedMilliseconds: found.LastModified?.getTime() ?? 0,
  };
}

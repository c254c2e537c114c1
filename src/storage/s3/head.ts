import { HeadBucketCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { S3Calls, Stopping } from './client.ts';
import { isNothingThere, storeCode } from './errors.ts';
import type { S3Settings } from './settings.ts';
import { storeKey } from './store-key.ts';

export interface FoundObject {
  readonly sizeBytes: number;
  /** Without its quotes. */
  readonly etag: string;
  readonly modifiedMilliseconds: number;
}

export async function headObject(
  calls: S3Calls,
  settings: S3Settings,
  objectKey: string,
  signal: AbortSignal | undefined,
): Promise<FoundObject | undefined> {
  const Key = storeKey(settings, objectKey);
  const found = await calls.call({ doing: 'look at', key: objectKey }, signal, async (client, stopping) => {
    try {
      return await client.send(new HeadObjectCommand({ Bucket: settings.bucket, Key }), stopping);
    } catch (error) {
      await requireNothingThere(error, client, settings.bucket, stopping);
      return undefined;
    }
  });
  if (found === undefined) return undefined;
  return {
    sizeBytes: found.ContentLength!,
    etag: found.ETag!.replaceAll('"', ''),
    modifiedMilliseconds: found.LastModified?.getTime() ?? 0,
  };
}

/**
 * Throws unless nothing lies at a key. The store itself must say so: a mere 404, without a word, as to HEAD and from a
 * proxy that finds no store behind it, may be about anything, so then the bucket is asked for too.
 */
export async function requireNothingThere(error: unknown, client: S3Client, bucket: string, stopping: Stopping): Promise<void> {
  if (!isNothingThere(error)) throw error;
  if (storeCode(error) === 'NoSuchKey') return;
  await client.send(new HeadBucketCommand({ Bucket: bucket }), stopping);
}

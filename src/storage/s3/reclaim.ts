import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, ListPartsCommand } from '@aws-sdk/client-s3';
import { parseObjectKey, uploadsPrefix } from '../../kernel/content/key.ts';
import { certifyPrefix } from '../object-key.ts';
import type { ReclaimOptions } from '../STORAGE.ts';
import type { S3Calls } from './client.ts';
import { storeCode, storeStatus } from './errors.ts';
import type { S3Settings } from './settings.ts';
import { prefixOf } from './store-key.ts';

/**
 * Drops uploads in parts that nobody completed or gave up, and to which nothing was added lately: a long one on a slow
 * line is not forgotten. Only those under keys of ours: others may use the bucket too, or a longer prefix in it.
 */
export async function reclaimUploads(calls: S3Calls, settings: S3Settings, ageSeconds: number, options: ReclaimOptions): Promise<number> {
  const Bucket = settings.bucket;
  const before = Date.now() - ageSeconds * 1000;
  const Prefix = prefixOf(settings.keyPrefix);
  let reclaimed = 0;
  let marker: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | undefined = {};
  while (marker !== undefined) {
    const from: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } = marker;
    const page = await calls.call({ doing: 'list the unfinished uploads' }, options.signal, (client, stopping) =>
      client.send(new ListMultipartUploadsCommand({ Bucket, Prefix, ...from }), stopping),
    );
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (Key?.startsWith(Prefix) !== true || !isOurs(Key.slice(Prefix.length))) continue;
      if (UploadId === undefined || Initiated === undefined || Initiated.getTime() > before) continue;
      if (await grewSince(calls, Bucket, Key, UploadId, before, options.signal)) continue;
      if (options.dryRun === true || (await drop(calls, Bucket, Key, UploadId, options.signal))) reclaimed += 1;
    }
    marker =
      page.IsTruncated === true &&
      page.NextKeyMarker !== undefined &&
      (page.NextKeyMarker !== from.KeyMarker || page.NextUploadIdMarker !== from.UploadIdMarker)
        ? { KeyMarker: page.NextKeyMarker, ...(page.NextUploadIdMarker === undefined ? {} : { UploadIdMarker: page.NextUploadIdMarker }) }
        : undefined;
  }
  return reclaimed;
}

function isOurs(key: string): boolean {
  return parseObjectKey(key) !== undefined || key.startsWith(certifyPrefix) || key.startsWith(uploadsPrefix);
}

/** Whether a part came after that time; one that is not there any more did not. */
async function grewSince(
  calls: S3Calls,
  Bucket: string,
  Key: string,
  UploadId: string,
  milliseconds: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  let marker: string | undefined;
  for (;;) {
    const after = marker;
    const page = await calls.call({ doing: 'look at an upload of', key: Key }, signal, async (client, stopping) => {
      const command = new ListPartsCommand({ Bucket, Key, UploadId, ...(after === undefined ? {} : { PartNumberMarker: after }) });
      try {
        return await client.send(command, stopping);
      } catch (error) {
        if (storeStatus(error) === 404 && storeCode(error) !== 'NoSuchBucket') return undefined;
        throw error;
      }
    });
    if (page?.Parts?.some(({ LastModified }) => LastModified !== undefined && LastModified.getTime() > milliseconds) === true) return true;
    marker = page?.IsTruncated === true && page.NextPartNumberMarker !== after ? page.NextPartNumberMarker : undefined;
    if (marker === undefined) return false;
  }
}

/** Whether it was there to be dropped. */
async function drop(calls: S3Calls, Bucket: string, Key: string, UploadId: string, signal: AbortSignal | undefined): Promise<boolean> {
  return await calls.call({ doing: 'give up an upload of', key: Key }, signal, async (client, stopping) => {
    try {
      await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), stopping);
      return true;
    } catch (error) {
      if (storeStatus(error) === 404 && storeCode(error) !== 'NoSuchBucket') return false;
      throw error;
    }
  });
}

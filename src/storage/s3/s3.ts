import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { s3Variables } from '../../credentials/CREDENTIALS.ts';
import { isArtifactstoreError } from '../../kernel/error.ts';
import { createLimit } from '../../runtime/limit.ts';
import type { Storage } from '../STORAGE.ts';
import { type CallOptions, openS3Calls } from './client.ts';
import { copyObject } from './copy.ts';
import { createObject } from './create.ts';
import { getObject } from './get.ts';
import { headObject, requireNothingThere } from './head.ts';
import { listObjects } from './list.ts';
import { createPartBuffers } from './part-buffers.ts';
import { createPatience } from './patience.ts';
import { presignPut } from './presign.ts';
import { putObject } from './put.ts';
import { reclaimUploads } from './reclaim.ts';
import type { S3Settings } from './settings.ts';
import { prefixOf, storeKey } from './store-key.ts';

export interface S3Options extends CallOptions {
  /** After this long without a byte a download counts as broken; 30,000 by default. */
  readonly idleMilliseconds?: number;
  /** Told once, when a delete has only put a mark over an object, as a bucket that keeps versions does. */
  readonly onBytesKept?: (place: string) => void;
}

export type S3Storage = Storage & Required<Pick<Storage, 'reclaim' | 'close'>>;

/**
 * A bucket of an S3-compatible store, or the part of it under a prefix. Nothing is asked of the store before the first
 * call.
 */
export function openS3Storage(settings: S3Settings, options: S3Options = {}): S3Storage {
  const calls = openS3Calls(settings, options);
  const { presigned } = settings;
  const room = {
    puts: createLimit(putsAtOnce),
    buffers: createPartBuffers(settings.multipartChunkBytes, sharedParts),
    patience: createPatience(options.answerMilliseconds ?? 60_000),
  };
  let told = false;
  const tellOfVersions = (): void => {
    if (!told) options.onBytesKept?.(`the bucket ${settings.bucket}`);
    told = true;
  };
  return {
    id: settings.id,
    put: (key, source, putOptions = {}) => putObject(calls, settings, room, key, source, putOptions),
    get: (key, getOptions = {}) => getObject(calls, settings, key, getOptions, options.idleMilliseconds ?? 30_000),

    async head(key, headOptions = {}) {
      const found = await headObject(calls, settings, key, headOptions.signal);
      return found === undefined ? undefined : { sizeBytes: found.sizeBytes };
    },

    async delete(key, deleteOptions = {}) {
      const Key = storeKey(settings, key);
      await calls.call({ doing: 'delete', key }, deleteOptions.signal, async (client, stopping) => {
        try {
          const { DeleteMarker, VersionId } = await client.send(new DeleteObjectCommand({ Bucket: settings.bucket, Key }), stopping);
          // Where versions are suspended the mark replaces the one version that there is: its bytes are gone.
          if (DeleteMarker === true && VersionId !== undefined && VersionId !== 'null') tellOfVersions();
        } catch (error) {
          await requireNothingThere(error, client, settings.bucket, stopping);
        }
      });
    },

    create: (key, bytes, createOptions = {}) => createObject(calls, settings, key, bytes, createOptions.signal),

    list: (prefix, listOptions = {}) => listObjects(calls, settings, prefix, listOptions),

    async health() {
      const Prefix = prefixOf(settings.keyPrefix);
      try {
        await calls.call({ doing: 'list' }, AbortSignal.timeout(healthMilliseconds), (client, stopping) =>
          client.send(new ListObjectsV2Command({ Bucket: settings.bucket, Prefix, MaxKeys: 1 }), stopping),
        );
        const room = { freeBytes: null, totalBytes: null };
        const unread = settings.credentials.unread?.();
        if (unread === undefined) return { healthy: true, detail: 'ok', ...room };
        const detail = `ok; its keys could not be read again for ${unread.seconds} seconds, and those that were read stay in use: ${unread.reason}`;
        return { healthy: true, detail, keysUnreadSeconds: unread.seconds, ...room };
      } catch (error) {
        const detail = isArtifactstoreError(error, 'cancelled')
          ? `no answer in ${healthMilliseconds} ms from ${settings.endpointUrl ?? 'AWS S3'}; ` +
            `look at ${settings.variables ?? s3Variables}ENDPOINT_URL and at the store`
          : (error as Error).message;
        return { healthy: false, detail, freeBytes: null, totalBytes: null };
      }
    },

    ...(presigned?.copies === true ? { copy: (from, to, source) => copyObject(calls, settings, from, to, source) } : {}),
    ...(presigned === undefined ? {} : { presign: (key, write) => presignPut(settings, presigned, key, write) }),
    reclaim: (ageSeconds, reclaimOptions = {}) => reclaimUploads(calls, settings, ageSeconds, reclaimOptions),
    close: () => calls.close(),
  };
}

/** Sources that may hold parts in memory at the same time: some that come straight from uploads, some from the disk. */
const putsAtOnce = 8;
/**
 * Parts in memory, unless more puts have one each: enough for a put that is alone to send four while it fills the next.
 */
const sharedParts = 5;
/** Less than the data plane waits for. */
const healthMilliseconds = 4000;

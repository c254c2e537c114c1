import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { s3Variables } from '../../credentials/CREDENTIALS.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { forEachLimited } from '../../runtime/limit.ts';
import { contentMd5 } from './body-binding.ts';
import type { S3Calls } from './client.ts';
import type { GatheredPart } from './gather-parts.ts';
import { headObject } from './head.ts';
import type { PutBuffers } from './part-buffers.ts';
import type { Patience } from './patience.ts';
import type { S3Settings } from './settings.ts';
import { storeKey } from './store-key.ts';
import { writeParameters } from './write-parameters.ts';

interface Part {
  readonly PartNumber: number;
  readonly ETag: string;
}

/**
 * Sends `first` and what `rest` gives as the parts of one object, some at a time. The object appears at the end, or not
 * at all.
 */
export async function uploadParts(
  calls: S3Calls,
  settings: S3Settings,
  patience: Patience,
  buffers: PutBuffers,
  objectKey: string,
  first: Buffer,
  rest: AsyncIterator<GatheredPart>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const Bucket = settings.bucket;
  const Key = storeKey(settings, objectKey);
  const begunAt = Date.now();
  const created = await calls.call({ doing: 'begin', key: objectKey }, signal, (client, stopping) =>
    client.send(new CreateMultipartUploadCommand(writeParameters(settings, objectKey)), stopping),
  );
  const UploadId = created.UploadId!;
  // The others stop when one fails.
  const failing = new AbortController();
  const stop = signal === undefined ? failing.signal : AbortSignal.any([signal, failing.signal]);
  const parts: Part[] = [];
  let sizeBytes = 0;

  async function send(PartNumber: number, body: Buffer): Promise<void> {
    const { ETag } = await calls.call({ doing: `write part ${PartNumber} of`, key: objectKey }, stop, (client, stopping) =>
      client.send(
        new UploadPartCommand({
          Bucket,
          Key,
          UploadId,
          PartNumber,
          Body: body,
          ContentLength: body.byteLength,
          ...(settings.dialect.bodyBinding === 'content-md5' ? { ContentMD5: contentMd5(body) } : {}),
        }),
        { requestTimeout: patience(body.byteLength), ...stopping },
      ),
    );
    parts.push({ PartNumber, ETag: ETag! });
  }

  async function* numbered(): AsyncGenerator<readonly [number: number, body: Buffer]> {
    let [number, begunBytes] = [1, first.byteLength];
    yield [number, first];
    try {
      for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
        if (begunBytes / settings.multipartChunkBytes >= maximumParts)
          throw new ArtifactstoreError(
            'body_too_large',
            `More than ${maximumParts} parts of ${settings.multipartChunkBytes} ` +
              `bytes; raise ${settings.variables ?? s3Variables}MULTIPART_CHUNK_BYTES`,
          );
        number += 1;
        begunBytes += next.value.bytes.byteLength;
        yield [number, next.value.bytes];
      }
    } catch (error) {
      failing.abort();
      throw error;
    }
  }

  try {
    await forEachLimited(numbered(), partsAtOnce, async ([number, body]) => {
      sizeBytes += body.byteLength;
      let sent = false;
      try {
        await send(number, body);
        sent = true;
      } finally {
        buffers.give(body, sent);
        if (!sent) failing.abort();
      }
    });
    parts.sort((a, b) => a.PartNumber - b.PartNumber);
    await complete(calls, settings, objectKey, UploadId, { parts, sizeBytes, begunAt }, signal);
  } catch (error) {
    await abort(calls, settings, objectKey, UploadId);
    throw error;
  }
}

/**
 * Makes the parts one object. Where no answer comes the same is asked again, and in the end the store is asked what
 * lies there: it is ours with the size of the parts and either their common ETag or a time since the upload began,
 * which is the time that some stores give it.
 */
async function complete(
  calls: S3Calls,
  settings: S3Settings,
  objectKey: string,
  UploadId: string,
  { parts, sizeBytes, begunAt }: { readonly parts: readonly Part[]; readonly sizeBytes: number; readonly begunAt: number },
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await calls.call({ doing: 'complete', key: objectKey }, signal, (client, stopping) =>
      client.send(
        new CompleteMultipartUploadCommand({
          Bucket: settings.bucket,
          Key: storeKey(settings, objectKey),
          UploadId,
          MultipartUpload: { Parts: [...parts] },
        }),
        stopping,
      ),
    );
  } catch (error) {
    if (!isArtifactstoreError(error, 'storage_unavailable')) throw error;
    const found = await headObject(calls, settings, objectKey, undefined).catch(() => undefined);
    if (found?.sizeBytes !== sizeBytes) throw error;
    if (found.etag !== etagOfParts(parts) && found.modifiedMilliseconds < begunAt - clockTolerance) throw error;
  }
}

/** As most stores make it, where the ETags of the parts are their MD5. */
function etagOfParts(parts: readonly Part[]): string {
  const digests = parts.map(({ ETag }) => Buffer.from(ETag.replaceAll('"', ''), 'hex'));
  return `${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${parts.length}`;
}

/** Best effort, and not for long: what cannot be dropped now is reclaimed later. */
async function abort(calls: S3Calls, settings: S3Settings, objectKey: string, UploadId: string): Promise<void> {
  const Key = storeKey(settings, objectKey);
  await calls
    .call({ doing: 'give up', key: objectKey }, AbortSignal.timeout(abortMilliseconds), (client, stopping) =>
      client.send(new AbortMultipartUploadCommand({ Bucket: settings.bucket, Key, UploadId }), stopping),
    )
    .catch(() => undefined);
}

const partsAtOnce = 4;
/** As many as S3 takes in one object. */
const maximumParts = 10_000;
const clockTolerance = 60_000;
const abortMilliseconds = 5000;

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { Limit } from '../../runtime/limit.ts';
import { stoppable, throwIfStopped } from '../../runtime/stop.ts';
import type { PutOptions } from '../STORAGE.ts';
import { bindBody, contentMd5 } from './body-binding.ts';
import type { S3Calls } from './client.ts';
import { gatherParts } from './gather-parts.ts';
import { headObject } from './head.ts';
import { uploadParts } from './multipart.ts';
import type { PartBuffers, PutBuffers } from './part-buffers.ts';
import type { Patience } from './patience.ts';
import type { S3Settings } from './settings.ts';
import { writeParameters } from './write-parameters.ts';

/** What all puts of a store share. */
export interface PutRoom {
  readonly puts: Limit;
  readonly buffers: PartBuffers;
  readonly patience: Patience;
}

/**
 * Three ways, by what is known of the source. What fits one part is sent whole, from memory. What is longer and can be
 * read again goes in one request up to the threshold, checked by the store against its SHA-256. The rest goes in parts,
 * each of them checked.
 */
export async function putObject(
  calls: S3Calls,
  settings: S3Settings,
  { buffers, patience, puts }: PutRoom,
  objectKey: string,
  source: AsyncIterable<Uint8Array>,
  options: PutOptions,
): Promise<void> {
  throwIfStopped(options.signal);
  const { sizeBytes } = options;
  const inOne =
    options.repeatable === true &&
    options.digestSha256 !== undefined &&
    sizeBytes !== undefined &&
    sizeBytes > settings.multipartChunkBytes &&
    sizeBytes < settings.multipartThresholdBytes &&
    settings.dialect.bodyBinding === 'signed-sha256';
  if (inOne)
    return await putStream(calls, settings, patience, objectKey, source, {
      ...options,
      sizeBytes: sizeBytes!,
      digestSha256: options.digestSha256!,
    });
  const release = sizeBytes !== undefined && sizeBytes <= smallBytes ? undefined : await puts.take(options.signal);
  const own = buffers.open(sizeBytes);
  try {
    await putParts(calls, settings, patience, own, objectKey, source, options);
  } finally {
    own.close();
    release?.();
  }
}

async function putParts(
  calls: S3Calls,
  settings: S3Settings,
  patience: Patience,
  buffers: PutBuffers,
  objectKey: string,
  source: AsyncIterable<Uint8Array>,
  options: PutOptions,
): Promise<void> {
  const { multipartChunkBytes } = settings;
  const pieces = stoppable(source, options.signal)[Symbol.asyncIterator]();
  let size = 0;
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
      size += next.value.byteLength;
      if (options.sizeBytes !== undefined && size > options.sizeBytes) throw lengthMismatch(options.sizeBytes);
      yield next.value;
    }
    if (options.sizeBytes !== undefined && size !== options.sizeBytes) throw lengthMismatch(options.sizeBytes);
  };
  const parts = gatherParts(counted(), multipartChunkBytes, options.sizeBytes, buffers);
  try {
    const first = await parts.next();
    throwIfStopped(options.signal);
    if (first.done !== true && !first.value.last)
      return await uploadParts(calls, settings, patience, buffers, objectKey, first.value.bytes, parts, options.signal);
    const bytes = first.done === true ? Buffer.alloc(0) : first.value.bytes;
    await putBuffer(calls, settings, patience, objectKey, bytes, options);
    buffers.give(bytes, true);
  } finally {
    await parts.return(undefined);
    await pieces.return?.();
  }
}

async function putBuffer(
  calls: S3Calls,
  settings: S3Settings,
  patience: Patience,
  objectKey: string,
  body: Buffer,
  { digestSha256, signal }: PutOptions,
): Promise<void> {
  const byMd5 = settings.dialect.bodyBinding === 'content-md5';
  const etag = () => createHash('md5').update(body).digest('hex');
  await settled(calls, settings, objectKey, body.byteLength, etag, signal, async () => {
    await calls.call({ doing: 'write', key: objectKey }, signal, async (client, stopping) => {
      const command = new PutObjectCommand({
        ...writeParameters(settings, objectKey),
        Body: body,
        ContentLength: body.byteLength,
        ...(byMd5 ? { ContentMD5: contentMd5(body) } : {}),
      });
      // Known, it need not be made again, and holds for what was in memory since.
      if (digestSha256 !== undefined && !byMd5) bindBody(command, digestSha256);
      await client.send(command, { requestTimeout: patience(body.byteLength), ...stopping });
    });
  });
}

/** A body that is read from its source again for each attempt. */
async function putStream(
  calls: S3Calls,
  settings: S3Settings,
  patience: Patience,
  objectKey: string,
  source: AsyncIterable<Uint8Array>,
  options: PutOptions & { readonly sizeBytes: number; readonly digestSha256: string },
): Promise<void> {
  const { digestSha256, signal, sizeBytes } = options;
  for (let attempt = 1; ; attempt++) {
    // What the source itself throws is the caller's affair, and no reason to try again.
    let sourceError: unknown;
    try {
      await calls.call({ doing: 'write', key: objectKey }, signal, async (client, stopping) => {
        const ended = new AbortController();
        const body = Readable.from(kept(stoppable(source, signal)), { objectMode: false });
        // A request takes no notice of it, and would wait for the rest of its body.
        body.once('error', (error) => {
          sourceError = error;
          ended.abort();
        });
        const command = new PutObjectCommand({ ...writeParameters(settings, objectKey), Body: body, ContentLength: sizeBytes });
        bindBody(command, digestSha256);
        try {
          const abortSignal = AbortSignal.any([ended.signal, ...(stopping.abortSignal === undefined ? [] : [stopping.abortSignal])]);
          await client.send(command, { abortSignal, requestTimeout: patience(sizeBytes) });
        } catch (error) {
          // A store may answer before it has read everything: nobody is to continue sending.
          ended.abort();
          throw error;
        } finally {
          body.destroy();
        }
      });
      return;
    } catch (error) {
      if (sourceError !== undefined) throw sourceError;
      if (attempt >= streamAttempts || !isArtifactstoreError(error, 'storage_unavailable')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt * Math.random()));
    }
  }
}

/** A stream asks for chunks ahead of those that it has sent, and the source may use their memory for the next ones. */
async function* kept(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) yield Buffer.from(chunk);
}

/**
 * A write whose answer never came may still have happened: the store is asked. What lies there is ours when it has our
 * size and our ETag.
 */
async function settled(
  calls: S3Calls,
  settings: S3Settings,
  objectKey: string,
  sizeBytes: number,
  etag: () => string,
  signal: AbortSignal | undefined,
  write: () => Promise<void>,
): Promise<void> {
  const begun = Date.now();
  try {
    await write();
  } catch (error) {
    if (!isArtifactstoreError(error, 'storage_unavailable')) throw error;
    const found = await headObject(calls, settings, objectKey, signal).catch(() => undefined);
    if (
      found === undefined ||
      found.sizeBytes !== sizeBytes ||
      found.etag !== etag() ||
      found.modifiedMilliseconds < begun - clockTolerance
    )
      throw error;
  }
}

function lengthMismatch(expected: number): ArtifactstoreError {
  return new ArtifactstoreError('length_mismatch', `The source is not the declared ${expected} bytes long`);
}

/** Sources that need no place among those that hold whole parts. */
const smallBytes = 1_048_576;
const streamAttempts = 4;
const clockTolerance = 60_000;

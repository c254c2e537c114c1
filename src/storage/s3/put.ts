import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { stoppable, throwIfStopped } from '../../kernel/stop.ts';
import type { PutOptions } from '../STORAGE.ts';
import { bindBody, contentMd5 } from './body-binding.ts';
import type { S3Calls } from './client.ts';
import { headObject } from './head.ts';
import { uploadParts } from './multipart.ts';
import type { S3Settings } from './settings.ts';
import type { Slots } from './slots.ts';
import { writeParameters } from './write-parameters.ts';

/**
 * Three ways, by what is known of the source. What fits one part is sent whole, from memory. What is longer and can be read again goes in one request up to the
 * threshold, checked by the store against its SHA-256. The rest goes in parts, each of them checked.
 */
export async function putObject(
  calls: S3Calls,
  settings: S3Settings,
  slots: Slots,
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
    return await putStream(calls, settings, objectKey, source, { ...options, sizeBytes: sizeBytes!, digestSha256: options.digestSha256! });
  const release = sizeBytes !== undefined && sizeBytes <= smallBytes ? undefined : await slots.take();
  try {
    await putParts(calls, settings, objectKey, source, options);
  } finally {
    release?.();
  }
}

async function putParts(
  calls: S3Calls,
  settings: S3Settings,
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
  const parts = gather(counted(), multipartChunkBytes, options.sizeBytes);
  try {
    const first = await parts.next();
    const second = first.done === true ? first : await parts.next();
    throwIfStopped(options.signal);
    if (first.done === true || second.done === true) {
      await putBuffer(calls, settings, objectKey, first.done === true ? Buffer.alloc(0) : first.value, options.signal);
      return;
    }
    await uploadParts(calls, settings, objectKey, [first.value, second.value], parts, options.signal);
  } finally {
    await parts.return(undefined);
    await pieces.return?.();
  }
}

/** Buffers of `size` bytes, the last one shorter, each its own. */
async function* gather(source: AsyncIterable<Uint8Array>, size: number, expected: number | undefined): AsyncGenerator<Buffer> {
  let room = Buffer.alloc(0);
  let filled = 0;
  for await (const chunk of source)
    for (let taken = 0; taken < chunk.byteLength; ) {
      if (filled === room.byteLength) {
        if (filled === size) {
          yield room;
          filled = 0;
          room = Buffer.allocUnsafeSlow(size);
        } else {
          // A short source of unknown length is not given a whole part's memory.
          const larger = Buffer.allocUnsafeSlow(
            Math.min(size, expected === undefined ? Math.max(firstBytes, filled * 4) : Math.max(expected, 1)),
          );
          room.copy(larger, 0, 0, filled);
          room = larger;
        }
      }
      const part = chunk.subarray(taken, taken + room.byteLength - filled);
      room.set(part, filled);
      filled += part.byteLength;
      taken += part.byteLength;
    }
  if (filled > 0) yield room.subarray(0, filled);
}

async function putBuffer(
  calls: S3Calls,
  settings: S3Settings,
  objectKey: string,
  body: Buffer,
  signal: AbortSignal | undefined,
): Promise<void> {
  const command = () =>
    new PutObjectCommand({
      ...writeParameters(settings, objectKey),
      Body: body,
      ContentLength: body.byteLength,
      ...(settings.dialect.bodyBinding === 'content-md5' ? { ContentMD5: contentMd5(body) } : {}),
    });
  await settled(calls, settings, objectKey, body.byteLength, createHash('md5').update(body).digest('hex'), signal, async () => {
    await calls.call({ doing: 'write', key: objectKey }, signal, (client, abortSignal) =>
      client.send(command(), abortSignal === undefined ? {} : { abortSignal }),
    );
  });
}

/** A body that is read from its source again for each attempt. */
async function putStream(
  calls: S3Calls,
  settings: S3Settings,
  objectKey: string,
  source: AsyncIterable<Uint8Array>,
  options: PutOptions & { readonly sizeBytes: number; readonly digestSha256: string },
): Promise<void> {
  const { digestSha256, signal, sizeBytes } = options;
  await settled(calls, settings, objectKey, sizeBytes, undefined, signal, async () => {
    for (let attempt = 1; ; attempt++) {
      // What the source itself throws is the caller's affair, and no reason to try again.
      let sourceError: unknown;
      const body = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield* stoppable(source, signal);
        } catch (error) {
          sourceError = error;
          throw error;
        }
      };
      try {
        await calls.call({ doing: 'write', key: objectKey }, signal, async (client, abortSignal) => {
          const command = new PutObjectCommand({
            ...writeParameters(settings, objectKey),
            Body: Readable.from(body(), { objectMode: false }),
            ContentLength: sizeBytes,
          });
          bindBody(command, digestSha256);
          await client.send(command, abortSignal === undefined ? {} : { abortSignal });
        });
        return;
      } catch (error) {
        if (sourceError !== undefined) throw sourceError;
        if (attempt >= streamAttempts || !isArtifactstoreError(error, 'storage_unavailable')) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt * Math.random()));
      }
    }
  });
}

/**
 * A write whose answer never came may have happened all the same: the store is asked. What lies there is ours when it has our size and, where it can be
 * known, our ETag.
 */
async function settled(
  calls: S3Calls,
  settings: S3Settings,
  objectKey: string,
  sizeBytes: number,
  etag: string | undefined,
  signal: AbortSignal | undefined,
  write: () => Promise<void>,
): Promise<void> {
  const begun = Date.now();
  try {
    await write();
  } catch (error) {
    if (!isArtifactstoreError(error, 'storage_unavailable') || etag === undefined) throw error;
    const found = await headObject(calls, settings, objectKey, signal).catch(() => undefined);
    if (found === undefined || found.sizeBytes !== sizeBytes || found.etag !== etag || found.modifiedMilliseconds < begun - clockTolerance)
      throw error;
  }
}

function lengthMismatch(expected: number): ArtifactstoreError {
  return new ArtifactstoreError('length_mismatch', `The source is not the declared ${expected} bytes long`);
}

const firstBytes = 65_536;
/** Sources that need no place among those that hold whole parts. */
const smallBytes = 1_048_576;
const streamAttempts = 4;
const clockTolerance = 60_000;

import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { giveBack } from '../../runtime/give-back.ts';
import { throwIfStopped } from '../../runtime/stop.ts';
import type { ByteRange, GetOptions, ObjectReader } from '../STORAGE.ts';
import type { S3Calls } from './client.ts';
import { isNothingThere, storeCode, storeError } from './errors.ts';
import { requireNothingThere } from './head.ts';
import type { S3Settings } from './settings.ts';
import { storeKey } from './store-key.ts';

/** A download that breaks is gone on with where it broke, as long as the object is still the same one. */
export async function getObject(
  calls: S3Calls,
  settings: S3Settings,
  objectKey: string,
  options: GetOptions,
  idleMilliseconds: number,
): Promise<ObjectReader | undefined> {
  const { range, signal } = options;
  const first = await request(calls, settings, objectKey, range, undefined, signal);
  if (first === undefined) return undefined;
  const { sizeBytes, start, length } = checkAnswer(first, objectKey, range);
  const last = start + length - 1;

  async function* body(): AsyncGenerator<Uint8Array> {
    let answer = first!;
    let at = start;
    for (let attempt = 1; ; attempt++) {
      const before = at;
      try {
        for await (const chunk of chunksOf(answer, idleMilliseconds, signal)) {
          if (at + chunk.byteLength > last + 1) throw wrong(objectKey, 'more bytes came than were asked for');
          at += chunk.byteLength;
          yield chunk;
        }
        if (at > last) return;
        throw Object.assign(new Error('the body ended early'), { code: 'ECONNRESET' });
      } catch (error) {
        throwIfStopped(signal);
        if (error instanceof ArtifactstoreError) throw error;
        // Progress is a reason to continue.
        if (at > before) attempt = 1;
        if (attempt >= resumeAttempts) throw storeError(error, { doing: 'read', key: objectKey }, settings, signal);
      }
      await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt * Math.random()));
      const next = await request(calls, settings, objectKey, { first: at, last }, answer.ETag, signal);
      if (next === undefined) throw wrong(objectKey, 'the object went away while it was read');
      checkAnswer(next, objectKey, { first: at, last });
      answer = next;
    }
  }

  return { sizeBytes, body: released(body(), first), ...(first.ETag === undefined ? {} : { version: first.ETag }) };
}

async function request(
  calls: S3Calls,
  settings: S3Settings,
  objectKey: string,
  range: ByteRange | undefined,
  etag: string | undefined,
  signal: AbortSignal | undefined,
): Promise<GetObjectCommandOutput | undefined> {
  const command = new GetObjectCommand({
    Bucket: settings.bucket,
    Key: storeKey(settings, objectKey),
    ...(range === undefined ? {} : { Range: `bytes=${range.first}-${range.last}` }),
    ...(etag === undefined ? {} : { IfMatch: etag }),
  });
  return await calls.call({ doing: 'read', key: objectKey }, signal, async (client, stopping) => {
    try {
      return await client.send(command, stopping);
    } catch (error) {
      if (isNothingThere(error)) {
        await requireNothingThere(error, client, settings.bucket, stopping);
        return undefined;
      }
      if (storeCode(error) === 'PreconditionFailed') throw wrong(objectKey, 'the object was replaced while it was read');
      if (storeCode(error) === 'InvalidRange')
        throw new ArtifactstoreError('internal', `The range ${range?.first}-${range?.last} is not inside ${objectKey}`);
      throw error;
    }
  });
}

/** A store may ignore or misread a range; what it says it sends is checked before a byte is believed. */
function checkAnswer(
  answer: GetObjectCommandOutput,
  objectKey: string,
  range: ByteRange | undefined,
): { readonly sizeBytes: number; readonly start: number; readonly length: number } {
  const length = answer.ContentLength!;
  if (range === undefined) return { sizeBytes: length, start: 0, length };
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.ContentRange ?? '');
  const [first, last, size] = match === null ? [] : match.slice(1).map(Number);
  if (first !== range.first || last !== range.last || size === undefined || length !== last - first + 1) {
    destroy(answer);
    // Beyond the end a store answers with what there is: the caller's mistake, since it knows the size.
    if (first === range.first && size !== undefined && range.last >= size)
      throw new ArtifactstoreError('internal', `The range ${range.first}-${range.last} is not inside the ${size} bytes of ${objectKey}`);
    throw wrong(objectKey, `bytes ${range.first}-${range.last} were asked for, and "${answer.ContentRange ?? 'no Content-Range'}" came`);
  }
  return { sizeBytes: size, start: range.first, length };
}

async function* chunksOf(
  answer: GetObjectCommandOutput,
  idleMilliseconds: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const stream = answer.Body as AsyncIterable<Uint8Array> & { destroy?(error?: Error): void };
  if (stream === undefined) return;
  const iterator = stream[Symbol.asyncIterator]();
  const onAbort = (): void => stream.destroy?.(signal?.reason instanceof Error ? signal.reason : new Error('stopped'));
  signal?.addEventListener('abort', onAbort, { once: true });
  let asleep = false;
  const idle = setTimeout(() => {
    if (asleep) stream.destroy?.(Object.assign(new Error('no more bytes came'), { code: 'ETIMEDOUT' }));
  }, idleMilliseconds);
  try {
    for (;;) {
      idle.refresh();
      asleep = true;
      const next = await iterator.next();
      asleep = false;
      if (next.done === true) return;
      yield next.value;
      giveBack(next.value);
    }
  } finally {
    clearTimeout(idle);
    signal?.removeEventListener('abort', onAbort);
    stream.destroy?.();
  }
}

/** The connection is closed even when nobody ever asked for a chunk. */
function released(chunks: AsyncGenerator<Uint8Array>, answer: GetObjectCommandOutput): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => chunks.next(),
      async return() {
        destroy(answer);
        return await chunks.return(undefined);
      },
    }),
  };
}

function destroy(answer: GetObjectCommandOutput): void {
  (answer.Body as { destroy?(): void } | undefined)?.destroy?.();
}

function wrong(objectKey: string, what: string): ArtifactstoreError {
  return new ArtifactstoreError('storage_unavailable', `Could not read ${objectKey}: ${what}`);
}

const resumeAttempts = 4;

import { close, closeSync, constants, fstatSync, open, read } from 'node:fs';
import { promisify } from 'node:util';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { errnoCode, fileError } from '../../runtime/file-error.ts';
import { throwIfStopped } from '../../runtime/stop.ts';
import type { GetOptions, ObjectReader } from '../STORAGE.ts';
import { createReadThread } from './read-thread.ts';

/**
 * Opens the regular file at a path; undefined when there is none. The open descriptor keeps the bytes whatever happens
 * to the name.
 */
export type OpenObject = (path: string, options: GetOptions) => Promise<ObjectReader | undefined>;

/**
 * Bare descriptors: a `FileHandle` costs twice as much as all else in reading a small object. What can wait for a disk,
 * opening and reading, runs off the thread; status and close of an open descriptor do not.
 */
export function objectOpener(): OpenObject {
  const buffers = readBuffers();
  const thread = createReadThread({ flags: openFlags, maximumBytes: readAtOnceBytes });
  let opening = 0;
  let manyUntil = 0;
  const openOne = openFrom(buffers);
  return async (path, options) => {
    opening += 1;
    try {
      const now = performance.now();
      if (opening > manyOpening) manyUntil = now + manyMilliseconds;
      if (now < manyUntil && options.range === undefined) {
        const bytes = await thread.read(path);
        if (bytes !== undefined) return wholeReader(bytes.byteLength, bytes);
      }
      return await openOne(path, options);
    } finally {
      opening -= 1;
    }
  };
}

function openFrom(buffers: ReadBuffers): OpenObject {
  return async (path, options) => {
    let descriptor: number | undefined;
    try {
      descriptor = await openFile(path, openFlags);
      const status = fstatSync(descriptor);
      if (!status.isFile()) return undefined;
      const span = spanOf(path, descriptor, status.size, options);
      if (span.end - span.first <= readAtOnceBytes) return wholeReader(status.size, await readSpan(span));
      descriptor = undefined;
      const iterator = readAhead(span, buffers, options.signal);
      return { sizeBytes: status.size, body: { [Symbol.asyncIterator]: () => iterator } };
    } catch (error) {
      if (absentCodes.has(errnoCode(error) ?? '')) return undefined;
      throw fileError(error, path);
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  };
}

interface Span {
  readonly path: string;
  readonly descriptor: number;
  readonly first: number;
  /** The byte after the last. */
  readonly end: number;
}

function spanOf(path: string, descriptor: number, sizeBytes: number, { range }: GetOptions): Span {
  const first = range?.first ?? 0;
  const end = range === undefined ? sizeBytes : range.last + 1;
  if (first < 0 || end > sizeBytes || first > end) {
    throw new ArtifactstoreError('internal', `The range ${first}-${end - 1} is not inside the ${sizeBytes} bytes of ${path}`);
  }
  return { path, descriptor, first, end };
}

async function readSpan(span: Span): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(span.end - span.first);
  await readWhole(span, bytes, span.first);
  return bytes;
}

/**
 * While the consumer holds one block, the next is read into another buffer. A plain iterator: a generator that never
 * ran has no `finally`, and its descriptor would stay open.
 */
function readAhead(span: Span, buffers: ReadBuffers, signal: AbortSignal | undefined): AsyncIterator<Uint8Array> {
  let position = span.first;
  let held: Buffer | undefined;
  let ahead: { readonly buffer: Buffer; readonly bytes: Promise<Uint8Array> } | undefined;
  let closed = false;

  const startNext = (): void => {
    if (position >= span.end) return;
    const buffer = buffers.take();
    const chunk = buffer.subarray(0, Math.min(chunkBytes, span.end - position));
    const bytes = readWhole(span, chunk, position).then(() => chunk);
    // It is awaited when it is asked for, or never.
    bytes.catch(() => undefined);
    ahead = { buffer, bytes };
    position += chunk.byteLength;
  };
  const drop = (): void => {
    if (held !== undefined) buffers.give(held);
    held = undefined;
  };
  const end = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    // The descriptor's number may be another file's as soon as it is closed: no read may be under way.
    await ahead?.bytes.catch(() => undefined);
    drop();
    if (ahead !== undefined) buffers.give(ahead.buffer);
    ahead = undefined;
    await closeFile(span.descriptor).catch(() => undefined);
  };

  return {
    async next(): Promise<IteratorResult<Uint8Array>> {
      try {
        throwIfStopped(signal);
        drop();
        if (!closed && ahead === undefined) startNext();
        if (closed || ahead === undefined) {
          await end();
          return { done: true, value: undefined };
        }
        const { buffer, bytes } = ahead;
        const value = await bytes;
        held = buffer;
        ahead = undefined;
        startNext();
        return { done: false, value };
      } catch (error) {
        await end();
        throw fileError(error, span.path);
      }
    },
    async return(): Promise<IteratorResult<Uint8Array>> {
      await end();
      return { done: true, value: undefined };
    },
  };
}

async function readWhole({ path, descriptor }: Span, into: Uint8Array, position: number): Promise<void> {
  for (let offset = 0; offset < into.byteLength; ) {
    const { bytesRead } = await readFile(descriptor, into, offset, into.byteLength - offset, position + offset);
    if (bytesRead === 0) throw new ArtifactstoreError('integrity_failure', `${path} became shorter while it was read`);
    offset += bytesRead;
  }
}

interface ReadBuffers {
  take(): Buffer;
  give(buffer: Buffer): void;
}

/**
 * Fresh memory has to be mapped page by page, which costs as much as reading into it; a few buffers are kept for the
 * next readers.
 */
function readBuffers(): ReadBuffers {
  const idle: Buffer[] = [];
  return {
    take: () => idle.pop() ?? Buffer.allocUnsafeSlow(chunkBytes),
    give(buffer) {
      if (idle.length < maximumIdle) idle.push(buffer);
    },
  };
}

function wholeReader(sizeBytes: number, bytes: Uint8Array): ObjectReader {
  return { sizeBytes, bytes, body: { [Symbol.asyncIterator]: () => oneChunk(bytes) } };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}

const openFile = promisify(open) as (path: string, flags: number) => Promise<number>;
const readFile = promisify(read);
const closeFile = promisify(close);

/** A symbolic link is no object, and a pipe must not hang the open. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const absentCodes: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO']);

const chunkBytes = 1_048_576;

const maximumIdle = 8;

/** With more than these at once, and for a while after, a thread that reads for all of them is faster than the pool. */
const manyOpening = 4;
const manyMilliseconds = 1_000;

/** Up to here the bytes are read before `get` resolves, and no descriptor outlives it. */
const readAtOnceBytes = 65_536;

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { ArtifactstoreError } from '../kernel/error.ts';
import { errnoCode, fileError } from '../kernel/file-error.ts';
import { throwIfStopped } from '../kernel/stop.ts';
import type { GetOptions, ObjectReader } from './STORAGE.ts';

/** The regular file at `path`, or undefined when there is none. The open descriptor keeps the bytes whatever happens to the name. */
export async function openObject(path: string, options: GetOptions): Promise<ObjectReader | undefined> {
  let handle: FileHandle | undefined;
  let given = false;
  try {
    handle = await open(path, openFlags);
    const status = await handle.stat();
    if (!status.isFile()) return undefined;
    const sizeBytes = status.size;
    const first = options.range?.first ?? 0;
    const end = options.range === undefined ? sizeBytes : options.range.last + 1;
    if (first < 0 || end > sizeBytes || first > end) {
      throw new ArtifactstoreError('internal', `The range ${first}-${end - 1} is not inside the ${sizeBytes} bytes of ${path}`);
    }
    const span: Span = { path, handle, first, end };
    if (end - first <= readAtOnceBytes) return { sizeBytes, body: oneChunk(await readSpan(span, options.signal)) };
    given = true;
    return { sizeBytes, body: { [Symbol.asyncIterator]: () => readAhead(span, options.signal) } };
  } catch (error) {
    if (absentCodes.has(errnoCode(error) ?? '')) return undefined;
    throw fileError(error, path);
  } finally {
    // The caller need not wait for the close of a descriptor that was only read.
    if (!given) handle?.close().catch(() => undefined);
  }
}

interface Span {
  readonly path: string;
  readonly handle: FileHandle;
  readonly first: number;
  readonly end: number;
}

async function readSpan({ path, handle, first, end }: Span, signal: AbortSignal | undefined): Promise<Uint8Array> {
  throwIfStopped(signal);
  const bytes = Buffer.allocUnsafe(end - first);
  await readWhole(path, handle, bytes, first);
  return bytes;
}

/** While the consumer holds one block, the next is read into the other buffer. A plain iterator: a generator that never ran has no `finally`. */
function readAhead({ path, handle, first, end }: Span, signal: AbortSignal | undefined): AsyncIterator<Uint8Array> {
  let position = first;
  let buffers: [Buffer, Buffer] | undefined;
  let turn = 0;
  let pending: Promise<Uint8Array> | undefined;
  let closed: Promise<void> | undefined;

  const close = (): Promise<void> => {
    closed ??= Promise.resolve(pending)
      .catch(() => undefined)
      .then(() => handle.close());
    return closed;
  };
  const readNext = (): Promise<Uint8Array> | undefined => {
    if (position >= end) return undefined;
    buffers ??= [Buffer.allocUnsafeSlow(chunkBytes), Buffer.allocUnsafeSlow(chunkBytes)];
    const chunk = buffers[turn]!.subarray(0, Math.min(chunkBytes, end - position));
    turn = 1 - turn;
    const reading = readWhole(path, handle, chunk, position).then(() => chunk);
    position += chunk.byteLength;
    reading.catch(() => undefined);
    return reading;
  };

  return {
    async next(): Promise<IteratorResult<Uint8Array>> {
      try {
        throwIfStopped(signal);
        pending ??= closed === undefined ? readNext() : undefined;
        if (pending === undefined) {
          await close();
          return { done: true, value: undefined };
        }
        const chunk = await pending;
        pending = readNext();
        return { done: false, value: chunk };
      } catch (error) {
        await close().catch(() => undefined);
        throw fileError(error, path);
      }
    },
    async return(): Promise<IteratorResult<Uint8Array>> {
      await close().catch(() => undefined);
      return { done: true, value: undefined };
    },
  };
}

async function readWhole(path: string, handle: FileHandle, into: Uint8Array, position: number): Promise<void> {
  for (let offset = 0; offset < into.byteLength; ) {
    const { bytesRead } = await handle.read(into, offset, into.byteLength - offset, position + offset);
    if (bytesRead === 0) throw new ArtifactstoreError('integrity_failure', `${path} became shorter while it was read`);
    offset += bytesRead;
  }
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.byteLength > 0) yield bytes;
}

/** A symbolic link is no object, and a pipe must not hang the open. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const absentCodes: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO']);

const chunkBytes = 1_048_576;

/** Up to here the bytes are read before `get` resolves, and no descriptor outlives it. */
const readAtOnceBytes = 65_536;

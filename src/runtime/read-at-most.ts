import { closeSync, constants, openSync, readSync, type Stats, statSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArtifactstoreError } from '../kernel/error.ts';
import { errnoCode } from './file-error.ts';

/**
 * What a file or a pipe holds, and no more than `longest` bytes and one: who gets more than `longest` knows that it is
 * too long. Throws what the system says; and `invalid_path` for a socket, and for a pipe into which nobody writes
 * for `patienceMilliseconds`. A writer that has it open is waited for as long as it takes. With `O_NONBLOCK` in `flags`
 * nothing is waited for.
 */
export async function readAtMost(
  path: string,
  longest: number,
  flags: number = constants.O_RDONLY,
  patienceMilliseconds = 5000,
): Promise<Uint8Array> {
  const isPipe = (flags & constants.O_NONBLOCK) === 0 && isPipeAt(path, await stat(path));
  // To open a pipe that nobody writes to would wait without end, in a thread of Node.
  await using handle = await open(path, isPipe ? flags | constants.O_NONBLOCK : flags);
  const read = isPipe ? readerOfPipe(handle, path, patienceMilliseconds) : (bytes: number) => readSome(handle, bytes);
  const chunks: Uint8Array[] = [];
  let left = longest + 1;
  while (left > 0) {
    const chunk = await read(Math.min(left, chunkBytes));
    if (chunk.length === 0) break;
    chunks.push(chunk);
    left -= chunk.length;
  }
  return Buffer.concat(chunks);
}

/** The same at once, for what is read before anything can wait: this thread sleeps while a pipe is waited for. */
export function readAtMostSync(path: string, longest: number, patienceMilliseconds = 5000): Uint8Array {
  const isPipe = isPipeAt(path, statSync(path));
  const descriptor = openSync(path, isPipe ? constants.O_RDONLY | constants.O_NONBLOCK : constants.O_RDONLY);
  try {
    const begun = performance.now();
    const chunks: Uint8Array[] = [];
    let left = longest + 1;
    while (left > 0) {
      const chunk = readSomeSync(descriptor, Math.min(left, chunkBytes));
      if (chunk?.length === 0 && (!isPipe || chunks.length > 0)) break;
      if (chunk === undefined || chunk.length === 0) {
        if (chunk !== undefined && performance.now() - begun > patienceMilliseconds) throw nobodyWrites(path, patienceMilliseconds);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMilliseconds);
        continue;
      }
      chunks.push(chunk);
      left -= chunk.length;
    }
    return Buffer.concat(chunks);
  } finally {
    closeSync(descriptor);
  }
}

/** The system says of a socket what it says of a device that is not there. */
function isPipeAt(path: string, kind: Stats): boolean {
  if (kind.isSocket()) throw new ArtifactstoreError('invalid_path', `"${path}" is a socket: nothing can be read from it as from a file.`);
  return kind.isFIFO();
}

/** Undefined while a writer has a pipe open and has written nothing. */
function readSomeSync(descriptor: number, bytes: number): Uint8Array | undefined {
  const buffer = Buffer.alloc(bytes);
  try {
    return buffer.subarray(0, readSync(descriptor, buffer));
  } catch (error) {
    if (errnoCode(error) !== 'EAGAIN') throw error;
    return undefined;
  }
}

function nobodyWrites(path: string, milliseconds: number): ArtifactstoreError {
  return new ArtifactstoreError('invalid_path', `"${path}" is a pipe, and nobody has written into it for ${milliseconds / 1000} s.`);
}

async function readSome(handle: FileHandle, bytes: number): Promise<Uint8Array> {
  const { bytesRead, buffer } = await handle.read(Buffer.alloc(bytes), 0);
  return buffer.subarray(0, bytesRead);
}

/** A pipe without a writer reads as one that has ended: before its first byte that may be one who is still to come. */
function readerOfPipe(handle: FileHandle, path: string, patienceMilliseconds: number): (bytes: number) => Promise<Uint8Array> {
  const begun = performance.now();
  let hasBegun = false;
  return async (bytes) => {
    for (;;) {
      try {
        const chunk = await readSome(handle, bytes);
        if (chunk.length > 0 || hasBegun) {
          hasBegun = true;
          return chunk;
        }
        if (performance.now() - begun > patienceMilliseconds) throw nobodyWrites(path, patienceMilliseconds);
      } catch (error) {
        if (errnoCode(error) !== 'EAGAIN') throw error;
      }
      await sleep(pauseMilliseconds);
    }
  };
}

const chunkBytes = 65_536;
const pauseMilliseconds = 10;

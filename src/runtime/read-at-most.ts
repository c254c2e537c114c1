import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ArtifactstoreError } from '../kernel/error.ts';
import { errnoCode } from './file-error.ts';

/**
 * What a file or a pipe holds, and no more than `longest` bytes and one: who gets more than `longest` knows that it is
 * too long. Throws what the system says; and `invalid_path` for a pipe into which nobody writes for
 * `patienceMilliseconds`. A writer that has it open is waited for as long as it takes. With `O_NONBLOCK` in `flags`
 * nothing is waited for.
 */
export async function readAtMost(
  path: string,
  longest: number,
  flags: number = constants.O_RDONLY,
  patienceMilliseconds = 5000,
): Promise<Uint8Array> {
  const isPipe = (flags & constants.O_NONBLOCK) === 0 && (await stat(path)).isFIFO();
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
        if (performance.now() - begun > patienceMilliseconds)
          throw new ArtifactstoreError(
            'invalid_path',
            `"${path}" is a pipe, and nobody has written into it for ${patienceMilliseconds / 1000} s.`,
          );
      } catch (error) {
        if (errnoCode(error) !== 'EAGAIN') throw error;
      }
      await sleep(pauseMilliseconds);
    }
  };
}

const chunkBytes = 65_536;
const pauseMilliseconds = 10;

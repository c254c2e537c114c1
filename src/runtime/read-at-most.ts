import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * What a file or a pipe holds, and no more than `longest` bytes and one: who gets more than `longest` knows that it is
 * too long. Throws what the system says.
 */
export async function readAtMost(path: string, longest: number, flags: number = constants.O_RDONLY): Promise<Uint8Array> {
  await using handle = await open(path, flags);
  const chunks: Buffer[] = [];
  let left = longest + 1;
  while (left > 0) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(Math.min(left, chunkBytes)), 0);
    if (bytesRead === 0) break;
    chunks.push(buffer.subarray(0, bytesRead));
    left -= bytesRead;
  }
  return Buffer.concat(chunks);
}

const chunkBytes = 65_536;

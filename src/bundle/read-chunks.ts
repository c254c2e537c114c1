import type { FileHandle } from 'node:fs/promises';

const chunkBytes = 1_048_576;

/** Of a file, from `first` up to `end` or to its end. A chunk is valid until the next one is asked for. */
export async function* chunksOf(handle: FileHandle, first: number, end: number): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, end - first));
  for (let at = first; at < end; ) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.byteLength, end - at), at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

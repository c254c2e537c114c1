/**
 * The same bytes in pieces of `size`, the last one shorter. Pieces are valid until the next one is asked for. A chunk
 * that is a piece already passes as it is; the others are copied into one buffer.
 */
export async function* blocksOf(chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let gathered: Buffer | undefined;
  let filled = 0;
  for await (const chunk of chunks) {
    for (let taken = 0; taken < chunk.byteLength; ) {
      if (filled === 0 && chunk.byteLength - taken >= size) {
        yield chunk.subarray(taken, taken + size);
        taken += size;
        continue;
      }
      gathered ??= Buffer.allocUnsafeSlow(size);
      const part = chunk.subarray(taken, taken + size - filled);
      gathered.set(part, filled);
      filled += part.byteLength;
      taken += part.byteLength;
      if (filled === size) {
        filled = 0;
        yield gathered;
      }
    }
  }
  if (gathered !== undefined && filled > 0) yield gathered.subarray(0, filled);
}

export const pieceBytes = 262_144;

/**
 * The same bytes in pieces of up to `pieceBytes`: each piece of an answer is a call to the system. A piece is valid
 * until the next is asked for.
 */
export async function* gathered(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const piece = Buffer.allocUnsafeSlow(pieceBytes);
  let length = 0;
  for await (const chunk of chunks) {
    if (length > 0 && length + chunk.length > pieceBytes) {
      yield piece.subarray(0, length);
      length = 0;
    }
    if (chunk.length >= pieceBytes) yield chunk;
    else {
      piece.set(chunk, length);
      length += chunk.length;
    }
  }
  if (length > 0) yield piece.subarray(0, length);
}

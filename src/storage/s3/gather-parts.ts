import type { PutBuffers } from './part-buffers.ts';

export interface GatheredPart {
  /** To be given back to where whole parts are taken from. */
  readonly bytes: Buffer;
  readonly last: boolean;
}

/** What comes from the source, in parts of `size` bytes, the last one shorter. Nothing comes of an empty source. */
export async function* gatherParts(
  source: AsyncIterable<Uint8Array>,
  size: number,
  expected: number | undefined,
  buffers: PutBuffers,
): AsyncGenerator<GatheredPart, undefined> {
  let room = Buffer.alloc(0);
  let filled = 0;
  for await (const chunk of source)
    for (let taken = 0; taken < chunk.byteLength; ) {
      if (filled === size) {
        yield { bytes: room, last: false };
        filled = 0;
        room = await buffers.take();
      } else if (filled === room.byteLength) {
        // A short source of unknown length is not given a whole part's memory.
        const length = Math.min(size, expected === undefined ? Math.max(firstBytes, filled * 4) : Math.max(expected, 1));
        const larger = length === size ? await buffers.take() : Buffer.allocUnsafeSlow(length);
        room.copy(larger, 0, 0, filled);
        room = larger;
      }
      const piece = chunk.subarray(taken, taken + room.byteLength - filled);
      room.set(piece, filled);
      filled += piece.byteLength;
      taken += piece.byteLength;
    }
  if (filled > 0) yield { bytes: room.subarray(0, filled), last: true };
}

const firstBytes = 65_536;

import { blockBytes } from './DATAPLANE.ts';
import type { Buffers } from './hashing/buffers.ts';

export interface PieceWork {
  /** Where the first byte of the source lies in its file: a piece never crosses the end of a block of the file. */
  readonly position: number;
  /** How many bytes may come; a short source then takes no more memory than that. */
  readonly sizeBytes: number | undefined;
  readonly buffers: Buffers;
  /**
   * Takes a piece, called in the order of the bytes. The piece stays as it is until this settles, so it settles only
   * when nobody looks at the piece any more. `last`: nothing follows; it alone may be empty.
   */
  put(piece: Uint8Array, last: boolean): Promise<unknown>;
}

/**
 * Collects a source into blocks, and has each of them worked on while the next one fills. Throws what the source or
 * `put` throws, when all pieces have settled and every buffer is given back.
 */
export async function inPieces(source: AsyncIterable<Uint8Array>, { buffers, ...work }: PieceWork): Promise<void> {
  const own = Buffer.allocUnsafeSlow(Math.min(work.sizeBytes ?? ownBytes, ownBytes));
  let buffer: Buffer = own;
  let filled = 0;
  let { position } = work;
  const flying: { readonly buffer: Buffer; readonly done: Promise<unknown> }[] = [];

  function flush(last: boolean): void {
    const done = work.put(buffer.subarray(0, filled), last);
    // It is awaited later, in turn; until then a failure must not count as unhandled.
    done.catch(() => undefined);
    flying.push({ buffer, done });
    position += filled;
    filled = 0;
  }

  async function settleOldest(): Promise<void> {
    await flying[0]!.done;
    const { buffer: free } = flying.shift()!;
    if (free !== own) buffers.give(free);
    if (free === buffer) buffer = own;
  }

  const heldBlocks = (): number => flying.filter((piece) => piece.buffer !== own).length;

  /** Makes room for more bytes: the small buffer is outgrown, or the block is full. */
  async function grow(): Promise<void> {
    if (buffer === own && position === work.position && filled < roomOf(blockBytes)) {
      const larger = buffers.take();
      if (larger !== undefined) {
        own.copy(larger, 0, 0, filled);
        buffer = larger;
        return;
      }
    }
    flush(false);
    while (flying.length > maximumFlying) await settleOldest();
    let next = buffers.take(heldBlocks());
    while (next === undefined && flying.length > 0) {
      await settleOldest();
      next = buffers.take(heldBlocks());
    }
    buffer = next ?? own;
  }

  /** How many bytes of a buffer the piece may have that begins at `position`. */
  function roomOf(length: number): number {
    return Math.min(length, blockBytes - (position % blockBytes));
  }

  try {
    for await (const chunk of source) {
      for (let taken = 0; taken < chunk.byteLength; ) {
        const room = roomOf(buffer.byteLength) - filled;
        if (room === 0) {
          await grow();
          continue;
        }
        const part = chunk.subarray(taken, taken + room);
        buffer.set(part, filled);
        filled += part.byteLength;
        taken += part.byteLength;
      }
    }
    flush(true);
    while (flying.length > 0) await settleOldest();
  } finally {
    await Promise.allSettled(flying.map(({ done }) => done));
    const held = new Set([buffer, ...flying.map((piece) => piece.buffer)]);
    held.delete(own);
    for (const each of held) buffers.give(each);
  }
}

const ownBytes = 65_536;

/** Pieces that may wait to be worked on, besides the one that fills. */
const maximumFlying = 3;

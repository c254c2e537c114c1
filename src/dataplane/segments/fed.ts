import { blockBytes } from '../DATAPLANE.ts';
import type { Buffers } from '../hashing/buffers.ts';
import type { RunningDigests } from '../hashing/running.ts';

/**
 * The same chunks, which `running` is given as well, in pieces that do not cross the end of a block of the file; they
 * begin at `position` of it. Where the reader stops early, it was given fewer, or some that did not count: it is right
 * of as many bytes as it says.
 */
export async function* fed(
  chunks: AsyncIterable<Uint8Array>,
  position: number,
  running: RunningDigests,
  buffers: Buffers,
): AsyncGenerator<Uint8Array, void, undefined> {
  const own = buffers.take() ?? Buffer.allocUnsafeSlow(sparePieceBytes);
  let other: Buffer | undefined;
  let [piece, at, filled] = [own, position, 0];
  let given: Promise<void> = Promise.resolve();
  const roomLeft = (): number => Math.min(piece.byteLength, blockBytes - (at % blockBytes)) - filled;

  async function give(): Promise<void> {
    await given;
    given = running.update(piece.subarray(0, filled));
    at += filled;
    filled = 0;
    other ??= buffers.take() ?? Buffer.allocUnsafeSlow(sparePieceBytes);
    piece = piece === own ? other : own;
  }

  try {
    for await (const chunk of chunks) {
      for (let taken = 0; taken < chunk.byteLength; ) {
        const part = chunk.subarray(taken, taken + roomLeft());
        piece.set(part, filled);
        filled += part.byteLength;
        taken += part.byteLength;
        if (roomLeft() === 0) await give();
      }
      yield chunk;
    }
    if (filled > 0) await give();
  } finally {
    await given;
    for (const buffer of [own, other]) if (buffer?.byteLength === blockBytes) buffers.give(buffer);
  }
}

/** Where all blocks are in use. */
const sparePieceBytes = 65_536;

import { blake3, sameBytes, toHex } from '../../kernel/content/digest.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { blockBytes } from '../DATAPLANE.ts';

/**
 * The same bytes, of which none is passed before it is known to be what was declared: the body is cut where blocks of
 * the file end, and `digests` has the BLAKE3 of each such piece, one after the other, in its order. Pieces that have
 * none are passed as they are. A piece that breaks off is not passed. `block_digest_mismatch` names the first bad one.
 * What is passed is valid until the next is asked for.
 */
export async function* goodBlocks(
  chunks: AsyncIterable<Uint8Array>,
  position: number,
  digests: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  const declared = digests.byteLength / digestBytes;
  const gathered = Buffer.allocUnsafeSlow(blockBytes);
  let piece = 0;
  let at = position;
  let filled = 0;

  function checked(): Uint8Array {
    const bytes = gathered.subarray(0, filled);
    const expected = digests.subarray(piece * digestBytes, (piece + 1) * digestBytes);
    const actual = blake3(bytes);
    if (!sameBytes(actual, expected)) throw bad(at, { expected: toHex(expected), actual: toHex(actual) });
    piece += 1;
    at += filled;
    filled = 0;
    return bytes;
  }

  for await (const chunk of chunks) {
    for (let taken = 0; taken < chunk.byteLength; ) {
      if (piece >= declared) {
        yield chunk.subarray(taken);
        break;
      }
      const length = blockBytes - (at % blockBytes);
      const part = chunk.subarray(taken, taken + length - filled);
      gathered.set(part, filled);
      filled += part.byteLength;
      taken += part.byteLength;
      if (filled === length) yield checked();
    }
  }
  if (filled > 0) yield checked();
}

const digestBytes = 32;

function bad(at: number, digests: { readonly expected: string; readonly actual: string }): ArtifactstoreError {
  const block_index = Math.floor(at / blockBytes);
  return new ArtifactstoreError(
    'block_digest_mismatch',
    `The bytes from ${at} on, in the block ${block_index}, are not what their BLAKE3 digest says; send them again.`,
    { field: 'block_digests', info: { block_index, block_offset_bytes: at, ...digests } },
  );
}

import { type Algorithm, sameBytes, toHex } from '../kernel/digest.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { stoppable } from '../storage/stop.ts';
import type { Buffers } from './buffers.ts';
import { blockBytes, type Expected } from './DATAPLANE.ts';
import { createDigester } from './digester.ts';
import { createDraftFile } from './draft-file.ts';

export interface StageOptions {
  readonly path: string;
  readonly expected: Expected;
  readonly digestAlgorithm: Algorithm;
  readonly buffers: Buffers;
  readonly signal: AbortSignal | undefined;
}

export interface Staged {
  readonly sizeBytes: number;
  readonly digestPrimary: Uint8Array;
  readonly digestSha256: Uint8Array;
  readonly blockDigests: Uint8Array | undefined;
}

/**
 * One pass: the bytes are collected into blocks, and while a block is written it is hashed. A file that fits the first, small
 * buffer is one write. Whatever fails, the draft is gone when this throws.
 */
export async function stageDraft(source: AsyncIterable<Uint8Array>, options: StageOptions): Promise<Staged> {
  const { expected, buffers } = options;
  const digester = createDigester(new Set([options.digestAlgorithm, 'sha256', ...(expected.digests?.keys() ?? [])]));
  const file = createDraftFile(options.path);
  const own = Buffer.allocUnsafeSlow(Math.min(expected.sizeBytes ?? ownBytes, ownBytes));
  let buffer: Buffer = own;
  let filled = 0;
  let position = 0;
  let lent: Buffer | undefined;

  /** Gives the buffer that was being written back to the stock. */
  async function settle(): Promise<void> {
    await file.written();
    if (lent !== undefined) buffers.give(lent);
    lent = undefined;
  }

  async function flush(): Promise<void> {
    await settle();
    const piece = buffer.subarray(0, filled);
    await file.write(piece);
    if (buffer !== own) lent = buffer;
    position += filled;
    filled = 0;
    // The write runs on another thread meanwhile.
    digester.update(piece);
  }

  /** Makes room for more: the small buffer is outgrown, or the block is full. */
  async function grow(): Promise<void> {
    if (buffer === own && filled < blockBytes && position === 0) {
      const larger = buffers.take();
      if (larger !== undefined) {
        own.copy(larger, 0, 0, filled);
        buffer = larger;
        return;
      }
    }
    await flush();
    const next = buffers.take();
    if (next === undefined) await settle();
    buffer = next ?? own;
  }

  try {
    let size = 0;
    for await (const chunk of stoppable(source, options.signal)) {
      size += chunk.byteLength;
      requireLength(size, expected, false);
      for (let taken = 0; taken < chunk.byteLength; ) {
        // A piece never crosses the end of a block.
        const room = Math.min(buffer.byteLength, blockBytes - (position % blockBytes)) - filled;
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
    requireLength(size, expected, true);
    await flush();
    const { digests, blockDigests } = digester.finish();
    requireDigests(digests, expected);
    await file.finish();
    return {
      sizeBytes: size,
      digestPrimary: digests.get(options.digestAlgorithm)!,
      digestSha256: digests.get('sha256')!,
      blockDigests,
    };
  } catch (error) {
    await file.abandon();
    throw error;
  } finally {
    if (lent !== undefined) buffers.give(lent);
    if (buffer !== own && buffer !== lent) buffers.give(buffer);
  }
}

function requireLength(size: number, expected: Expected, whole: boolean): void {
  const { maximumBytes, sizeBytes } = expected;
  if (maximumBytes !== undefined && size > maximumBytes) {
    throw new ArtifactstoreError('body_too_large', `At most ${maximumBytes} bytes are taken`, { info: { maximum_bytes: maximumBytes } });
  }
  if (sizeBytes !== undefined && (size > sizeBytes || (whole && size !== sizeBytes))) {
    const was = whole ? `${size} came` : 'more came';
    throw new ArtifactstoreError('length_mismatch', `${sizeBytes} bytes were declared, but ${was}`, {
      info: { expected_size_bytes: sizeBytes },
    });
  }
}

function requireDigests(digests: ReadonlyMap<string, Uint8Array>, expected: Expected): void {
  for (const [algorithm, declared] of expected.digests ?? []) {
    const actual = digests.get(algorithm)!;
    if (!sameBytes(actual, declared)) {
      throw new ArtifactstoreError('digest_mismatch', `The ${algorithm} digest of the body is not the declared one`, {
        info: { algorithm, expected: toHex(declared), actual: toHex(actual) },
      });
    }
  }
}

const ownBytes = 65_536;

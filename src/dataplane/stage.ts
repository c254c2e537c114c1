import type { Algorithm } from '../kernel/content/digest.ts';
import { stoppable } from '../runtime/stop.ts';
import { blockBytes, type Expected } from './DATAPLANE.ts';
import { requireDigests, requireLength } from './declared.ts';
import type { DraftFile } from './drafts/draft-file.ts';
import type { Buffers } from './hashing/buffers.ts';
import { createDigester, type Digester } from './hashing/digester.ts';
import type { HashThreads, RemoteDigester } from './hashing/hash-threads.ts';

export interface StageOptions {
  /** Where the bytes go. It is finished only when they are what was declared. */
  readonly file: DraftFile;
  readonly expected: Expected;
  readonly digestAlgorithm: Algorithm;
  readonly buffers: Buffers;
  /** Undefined where every file is hashed on the calling thread. */
  readonly threads: HashThreads | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface Staged {
  readonly sizeBytes: number;
  readonly digestPrimary: Uint8Array;
  readonly digestSha256: Uint8Array;
  readonly blockDigests: Uint8Array | undefined;
}

/**
 * One pass: the bytes are collected into blocks, and each block is written and hashed while the next one fills. What
 * fits one block is hashed here, longer files on a thread. Whatever fails, the draft is gone and every buffer given
 * back when this throws.
 */
export async function stageDraft(source: AsyncIterable<Uint8Array>, options: StageOptions): Promise<Staged> {
  const { expected, file, buffers, threads } = options;
  const algorithms = [...new Set([options.digestAlgorithm, 'sha256', ...(expected.digests?.keys() ?? [])])];
  let digester: Digester | RemoteDigester = createDigester(algorithms);
  let remote: RemoteDigester | undefined;
  const own = Buffer.allocUnsafeSlow(Math.min(expected.sizeBytes ?? ownBytes, ownBytes));
  let buffer: Buffer = own;
  let filled = 0;
  let position = 0;
  const flying: { readonly buffer: Buffer; readonly done: Promise<unknown> }[] = [];

  function flush(): void {
    const piece = buffer.subarray(0, filled);
    const done = Promise.all([file.write(piece), digester.update(piece)]);
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

  /** Makes room for more bytes: the small buffer is outgrown, or the block is full. */
  async function grow(): Promise<void> {
    if (buffer === own && position === 0) {
      const larger = buffers.take();
      if (larger !== undefined) {
        own.copy(larger, 0, 0, filled);
        buffer = larger;
        return;
      }
    } else if (position === 0 && threads !== undefined) {
      remote = threads.begin(algorithms);
      digester = remote;
    }
    flush();
    while (flying.length > maximumFlying) await settleOldest();
    let next = buffers.take();
    while (next === undefined && flying.length > 0) {
      await settleOldest();
      next = buffers.take();
    }
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
    flush();
    while (flying.length > 0) await settleOldest();
    const { digests, blockDigests } = await digester.finish();
    remote = undefined;
    requireDigests(digests, expected);
    await file.finish();
    return {
      sizeBytes: size,
      digestPrimary: digests.get(options.digestAlgorithm)!,
      digestSha256: digests.get('sha256')!,
      blockDigests,
    };
  } catch (error) {
    await Promise.allSettled(flying.map(({ done }) => done));
    remote?.forget();
    await file.abandon();
    throw error;
  } finally {
    const held = new Set([buffer, ...flying.map((piece) => piece.buffer)]);
    held.delete(own);
    for (const each of held) buffers.give(each);
  }
}

const ownBytes = 65_536;

/** Pieces that may wait to be written and hashed, besides the one that fills. */
const maximumFlying = 3;

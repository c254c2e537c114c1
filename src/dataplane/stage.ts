import type { Algorithm } from '../kernel/content/digest.ts';
import { allOf } from '../runtime/all-of.ts';
import { stoppable } from '../runtime/stop.ts';
import { blockBytes, type Expected } from './DATAPLANE.ts';
import { requireDigests, requireLength } from './declared.ts';
import type { DraftFile } from './drafts/draft-file.ts';
import type { Buffers } from './hashing/buffers.ts';
import { createDigester, type Digester } from './hashing/digester.ts';
import type { HashThreads, RemoteDigester } from './hashing/hash-threads.ts';
import { inPieces } from './pieces.ts';

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
 * One pass: each block is written and hashed while the next one fills. What fits one block is hashed here, longer files
 * on a thread. Whatever fails, the draft is gone and every buffer given back when this throws.
 */
export async function stageDraft(source: AsyncIterable<Uint8Array>, options: StageOptions): Promise<Staged> {
  const { expected, file, buffers, threads } = options;
  const algorithms = [...new Set([options.digestAlgorithm, 'sha256', ...(expected.digests?.keys() ?? [])])];
  let digester: Digester | RemoteDigester = createDigester(algorithms);
  let remote: RemoteDigester | undefined;
  let begun = false;
  let size = 0;

  async function put(piece: Uint8Array, last: boolean): Promise<void> {
    // Where no block is free, its short pieces are not worth a thread.
    if (!begun && !last && piece.byteLength === blockBytes && threads !== undefined) {
      remote = threads.begin(algorithms);
      digester = remote;
    }
    begun = true;
    await allOf([file.write(piece), digester.update(piece)]);
  }

  async function* measured(): AsyncGenerator<Uint8Array> {
    for await (const chunk of stoppable(source, options.signal)) {
      size += chunk.byteLength;
      requireLength(size, expected, false);
      yield chunk;
    }
    requireLength(size, expected, true);
  }

  try {
    await inPieces(measured(), { position: 0, sizeBytes: expected.sizeBytes, buffers, put });
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
    remote?.forget();
    await file.abandon();
    throw error;
  }
}

import type { Algorithm } from '../../kernel/content/digest.ts';
import { stoppable } from '../../runtime/stop.ts';
import { blockBytes, type Expected } from '../DATAPLANE.ts';
import { requireDigests, requireLength } from '../declared.ts';
import { blocksOf } from '../hashing/blocks.ts';
import { createDigester, type Digested } from '../hashing/digester.ts';
import type { HashThreads } from '../hashing/hash-threads.ts';

/**
 * The digests of bytes that lie somewhere already, when they are what was declared. On a thread where they are many.
 */
export async function digestStored(
  bytes: AsyncIterable<Uint8Array>,
  options: {
    readonly sizeBytes: number;
    readonly digestAlgorithm: Algorithm;
    readonly expected: Expected;
    readonly threads: HashThreads | undefined;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Digested> {
  const { expected, sizeBytes, threads } = options;
  requireLength(sizeBytes, expected, true);
  const algorithms = [...new Set([options.digestAlgorithm, 'sha256', ...(expected.digests?.keys() ?? [])])];
  // Before a thread is told of them: it knows the same ones.
  const inline = createDigester(algorithms);
  const remote = sizeBytes > blockBytes ? threads?.begin(algorithms) : undefined;
  let finished = false;
  try {
    for await (const block of blocksOf(stoppable(bytes, options.signal), blockBytes)) await (remote ?? inline).update(block);
    const digested = await (remote ?? inline).finish();
    finished = true;
    requireDigests(digested.digests, expected);
    return digested;
  } finally {
    if (!finished) remote?.forget();
  }
}

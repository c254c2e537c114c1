import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Gives the memory that starting took back to the system. Left alone, the engine keeps the young generation that
 * loading the code has grown, about 25 MB, for as long as the process lives. Takes some 50 ms, so it is done before the
 * first request.
 */
export function releaseStartMemory(): void {
  collector()({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

const lookMilliseconds = 500;
const collectMilliseconds = 1_000;

/**
 * Gives memory back while this thread's heap is larger than `largeBytes`. Left alone, the engine takes some share of
 * the machine's memory before it looks what of it is still used, however little that is. A collection takes up to a
 * tenth of a second, so it is done at most every second, and not again while the last one was of little use.
 * Returns what ends it.
 */
export function giveBackMemory(largeBytes: number): () => void {
  let collect: ReturnType<typeof collector> | undefined;
  let last = 0;
  let left = 0;
  const timer = setInterval(() => {
    const before = getHeapStatistics().total_heap_size;
    const now = performance.now();
    if (before < largeBytes || before < left * 1.25 || now - last < collectMilliseconds) return;
    last = now;
    collect ??= collector();
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    left = getHeapStatistics().total_heap_size;
  }, lookMilliseconds);
  timer.unref();
  return () => clearInterval(timer);
}

function collector(): (options: CollectOptions) => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: CollectOptions) => void;
  setFlagsFromString('--no-expose-gc');
  return collect;
}

interface CollectOptions {
  readonly type: 'major';
  readonly execution: 'sync';
  /** The one that also gives back. */
  readonly flavor: 'last-resort';
}

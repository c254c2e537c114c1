import { moduleUrl } from '../../runtime/module-url.ts';
import { createRestingThread } from '../../runtime/resting-thread.ts';
import { memoryBytes, type ReadAnswer, type ReadRequest, type ReadThreadData } from './read-messages.ts';

/**
 * A thread that reads small files for many who ask at once: one message for all that was asked in a turn of the event
 * loop costs a fraction of what the same calls cost through the pool of threads, where each wakes a thread of its own,
 * twice.
 */
export interface ReadThread {
  /**
   * The whole file, or undefined for one that is better read in another way: it is longer than `maximumBytes`, no
   * regular file, not there, or cannot be read. Undefined at once while the thread is held up: a disk that is slow, or
   * gone, holds up the few who asked first, and the others go past it.
   */
  read(path: string): Promise<Uint8Array | undefined> | undefined;
}

interface Waiting {
  readonly path: string;
  readonly resolve: (bytes: Uint8Array | undefined) => void;
}

interface Batch {
  readonly since: number;
  readonly waiting: readonly Waiting[];
}

export function createReadThread(data: ReadThreadData): ReadThread {
  const queued: Waiting[] = [];
  let flying: Batch[] = [];
  let watching: NodeJS.Timeout | undefined;

  const isHeldUp = (milliseconds: number): boolean => flying[0] !== undefined && performance.now() - flying[0].since > milliseconds;

  /** Has all that waits for the thread read in another way. */
  const letGo = (): void => {
    for (const { resolve } of queued.splice(0)) resolve(undefined);
  };

  /** What was asked while the thread was busy does not wait for ever. */
  const watch = (): void => {
    watching ??= setTimeout(() => {
      if (isHeldUp(longestPatienceMilliseconds / 2)) letGo();
      else if (flying.length > 0) watching?.refresh();
    }, longestPatienceMilliseconds / 2).unref();
    watching.refresh();
  };

  const thread = createRestingThread<ReadRequest, ReadAnswer>({
    module: moduleUrl('./read-worker.ts', import.meta.url),
    data,
    limits: resourceLimits,
    onAnswer({ memories, starts, lengths }) {
      const batch = flying.shift();
      if (queued.length > 0) post();
      if (flying.length === 0) thread.rest();
      batch?.waiting.forEach(({ resolve }, index) => {
        const start = starts[index]!;
        const length = lengths[index]!;
        if (length < 0) resolve(undefined);
        else
          resolve(
            length === 0 ? new Uint8Array() : new Uint8Array(memories[Math.floor(start / memoryBytes)]!, start % memoryBytes, length),
          );
      });
    },
    onBroken() {
      for (const { waiting } of flying) for (const { resolve } of waiting) resolve(undefined);
      flying = [];
      letGo();
    },
  });

  const post = (): void => {
    // An answer that came meanwhile has sent it.
    if (queued.length === 0) return;
    const since = performance.now();
    watch();
    while (queued.length > 0 && flying.length < batchesAhead) {
      const waiting = queued.splice(0, batchFiles);
      flying.push({ since, waiting });
      thread.post(waiting.map(({ path }) => path));
    }
  };

  return {
    read(path) {
      if (thread.isBroken() || isHeldUp(patienceMilliseconds)) return undefined;
      return new Promise((resolve) => {
        if (queued.length === 0) setImmediate(post);
        queued.push({ path, resolve });
      });
    },
  };
}

/** So many files are open, and in memory, at a time. */
const batchFiles = 64;

/** One is read while the next is under way to it. What is asked meanwhile goes together: each message costs much. */
const batchesAhead = 2;

/** Longer than a batch takes that waits for no disk. */
const patienceMilliseconds = 5;

/** Of what was asked before: the thread may be starting. */
const longestPatienceMilliseconds = 200;

const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 16 };

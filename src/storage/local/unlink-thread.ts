import { moduleUrl } from '../../runtime/module-url.ts';
import { createRestingThread } from '../../runtime/resting-thread.ts';
import type { UnlinkAnswer, UnlinkRequest, UnlinkThreadData } from './unlink-messages.ts';

/**
 * A thread that unlinks for a collection, which asks for many files at once: through the pool of threads, each wakes a
 * thread of its own, which takes longer than the unlinking. Where the disk is what is waited for, many threads are
 * faster than one.
 */
export interface UnlinkThread {
  /**
   * Whether there is no file at the path any more, below a root that is there. False where that is not known, and
   * undefined at once where the disk is slow: then it is better done in another way.
   */
  unlink(path: string): Promise<boolean> | undefined;
}

interface Waiting {
  readonly path: string;
  readonly resolve: (gone: boolean) => void;
}

export function createUnlinkThread(data: UnlinkThreadData): UnlinkThread {
  let queued: Waiting[] = [];
  let flying: readonly Waiting[] = [];
  let slowUntil = 0;

  const thread = createRestingThread<UnlinkRequest, UnlinkAnswer>({
    module: moduleUrl('./unlink-worker.ts', import.meta.url),
    data,
    limits: resourceLimits,
    onAnswer({ gone, milliseconds }) {
      const answered = flying;
      flying = [];
      if (milliseconds > patienceMilliseconds + answered.length * slowMilliseconds) slowUntil = performance.now() + slowForMilliseconds;
      answered.forEach(({ resolve }, index) => {
        resolve(gone[index] === true);
      });
      if (queued.length > 0) post();
      else thread.rest();
    },
    onBroken() {
      for (const { resolve } of [...flying, ...queued]) resolve(false);
      flying = [];
      queued = [];
    },
  });

  const post = (): void => {
    if (flying.length > 0 || queued.length === 0) return;
    flying = queued.splice(0, batchFiles);
    thread.post(flying.map(({ path }) => path));
  };

  return {
    unlink(path) {
      if (thread.isBroken() || performance.now() < slowUntil) return undefined;
      return new Promise((resolve) => {
        if (queued.length === 0) setImmediate(post);
        queued.push({ path, resolve });
      });
    },
  };
}

/** So many are unlinked in one message; the others wait for it. */
const batchFiles = 64;

/** A batch that takes more than this, and this for each of its files, waits for the disk. */
const patienceMilliseconds = 20;
const slowMilliseconds = 0.5;
const slowForMilliseconds = 10_000;

const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 16 };

import { Worker } from 'node:worker_threads';
import { moduleUrl } from '../../runtime/module-url.ts';
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

/**
 * Starts the thread when it is first asked, and ends it when it was idle for a while; it keeps the process alive only
 * while it works.
 */
export function createUnlinkThread(data: UnlinkThreadData): UnlinkThread {
  let worker: Worker | undefined;
  let broken = false;
  let queued: Waiting[] = [];
  let flying: readonly Waiting[] = [];
  let resting: NodeJS.Timeout | undefined;
  let slowUntil = 0;

  const start = (): Worker => {
    const started = new Worker(moduleUrl('./unlink-worker.ts', import.meta.url), { workerData: data, execArgv: [], resourceLimits });
    const end = (): void => {
      if (worker !== started) return;
      worker = undefined;
      broken = true;
      for (const { resolve } of [...flying, ...queued]) resolve(false);
      flying = [];
      queued = [];
    };
    started.on('message', ({ gone, milliseconds }: UnlinkAnswer) => {
      const answered = flying;
      flying = [];
      if (milliseconds > patienceMilliseconds + answered.length * slowMilliseconds) slowUntil = performance.now() + slowForMilliseconds;
      answered.forEach(({ resolve }, index) => {
        resolve(gone[index] === true);
      });
      if (queued.length > 0) post();
      else rest();
    });
    started.on('error', end);
    started.on('messageerror', end);
    started.on('exit', end);
    return started;
  };

  const rest = (): void => {
    worker?.unref();
    clearTimeout(resting);
    resting = setTimeout(() => {
      if (flying.length > 0 || queued.length > 0) return;
      const idle = worker;
      worker = undefined;
      // It has answered: only while a thread starts can the engine break down when it is terminated.
      void idle?.terminate();
    }, restMilliseconds).unref();
  };

  const post = (): void => {
    if (flying.length > 0 || queued.length === 0) return;
    worker ??= start();
    worker.ref();
    flying = queued.splice(0, batchFiles);
    worker.postMessage(flying.map(({ path }) => path) satisfies UnlinkRequest);
  };

  return {
    unlink(path) {
      if (broken || performance.now() < slowUntil) return undefined;
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

const restMilliseconds = 10_000;

const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 16 };

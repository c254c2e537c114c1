import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../http/log.ts';
import { ArtifactstoreError, type ErrorRecord, fromErrorRecord } from '../kernel/error.ts';
import { stopOnSignal } from '../runtime/stop-signals.ts';
import { answerMetrics } from './merge-metrics.ts';
import type { WorkerMessage } from './worker.ts';

const firstPauseMilliseconds = 200;
const longestPauseMilliseconds = 10_000;
/** A worker that lived so long died of something new. */
const soundMilliseconds = 30_000;
/** So many in a row may die before they listen, while no other does. */
const vainStarts = 5;

/**
 * Keeps so many copies of this process serving on one port: starts one again when it dies, with growing pauses while
 * they die young, and hands a stop on to all of them; one that has not ended after `patience` milliseconds is killed. A
 * worker that can't even start at first ends the whole, with its reason; so do workers that die before they listen,
 * again and again, while none is left that listens.
 */
export async function superviseWorkers(count: number, log: Log, patience: number): Promise<void> {
  using stop = stopOnSignal();
  const { logger } = log;
  const failed = Promise.withResolvers<never>();
  const listening = new Set<number>();
  let everListened = false;
  let young = 0;
  let vain = 0;
  cluster.setupPrimary({ execArgv: [...process.execArgv, takesLittle] });

  const start = (): void => {
    const born = performance.now();
    const worker = cluster.fork(givesMemoryBack);
    let reason: ErrorRecord | undefined;
    worker.on('message', (message: WorkerMessage) => {
      if (message.kind === 'failed') reason = message.error;
    });
    worker.on('listening', ({ address, port }: { readonly address: string; readonly port: number }) => {
      vain = 0;
      listening.add(worker.id);
      if (listening.size !== count || everListened) return;
      everListened = true;
      const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
      logger.info({ url, console: `${url}/console/`, workers: count }, 'listening');
    });
    worker.on('exit', (code: number | null, signal: string | null) => {
      if (!listening.delete(worker.id)) vain += 1;
      if (stop.signal.aborted) return;
      if (!everListened || (vain >= vainStarts && listening.size === 0))
        return failed.reject(
          reason === undefined
            ? new ArtifactstoreError('internal', `A worker could not start (it ended with ${code ?? signal}).`, {
                info: { hint: 'its own message, if it had one, is above; run `serve` without --workers to see more' },
              })
            : fromErrorRecord(reason),
        );
      young = performance.now() - born > soundMilliseconds ? 0 : young + 1;
      const pause = young === 0 ? 0 : Math.min(longestPauseMilliseconds, firstPauseMilliseconds * 2 ** (young - 1));
      logger.error(
        {
          worker_pid: worker.process.pid,
          exit_code: code,
          exit_signal: signal,
          restart_milliseconds: pause,
          ...(reason === undefined ? {} : { code: reason.code, reason: reason.message }),
        },
        'a worker died',
      );
      void sleep(pause).then(() => {
        if (!stop.signal.aborted) start();
      });
    });
  };

  // A second signal, or an error, ends this process where it stands: the workers with it.
  const killAll = (): void => {
    for (const worker of alive()) worker.process.kill('SIGKILL');
  };
  process.once('exit', killAll);
  answerMetrics(log.droppedLines);
  for (let index = 0; index < count; index += 1) start();
  try {
    await Promise.race([stop.asked, failed.promise]);
  } finally {
    const late = setTimeout(() => {
      logger.error('workers did not stop in time and are killed');
      killAll();
    }, patience);
    await Promise.all(alive().map(end));
    clearTimeout(late);
    process.off('exit', killAll);
  }
}

function alive(): readonly Worker[] {
  return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
}

/**
 * Ctrl-C at a terminal reaches the workers by itself, so the word goes by the channel, where it can't count as a second
 * signal.
 */
function end(worker: Worker): Promise<void> {
  if (worker.isDead()) return Promise.resolve();
  return new Promise((resolve) => {
    worker.once('exit', () => resolve());
    if (worker.isConnected()) worker.send({ kind: 'stop' } satisfies WorkerMessage, () => undefined);
  });
}

/** For the C library of Linux, which keeps freed memory otherwise; as in the unit of deploy/systemd. */
const givesMemoryBack = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' };
/** Node takes up to 190 MB for what was just made otherwise; as there. */
const takesLittle = '--max-semi-space-size=16';

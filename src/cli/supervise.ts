import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ArtifactstoreError } from '../kernel/error.ts';
import { answerMetrics } from './merge-metrics.ts';
import { stopOnSignal } from './stop.ts';

const firstPauseMilliseconds = 200;
const longestPauseMilliseconds = 10_000;
/** A worker that lived so long died of something new. */
const soundMilliseconds = 30_000;

/**
 * Keeps so many copies of this process serving on one port: starts one again when it dies, with growing pauses while they die young,
 * and hands a stop on to all of them. A worker that can't even start at first ends the whole.
 */
export async function superviseWorkers(count: number, log: Logger): Promise<void> {
  using stop = stopOnSignal();
  const failed = Promise.withResolvers<never>();
  const listening = new Set<number>();
  let everListened = false;
  let young = 0;

  const start = (): void => {
    const born = performance.now();
    const worker = cluster.fork();
    worker.on('listening', ({ address, port }: { readonly address: string; readonly port: number }) => {
      listening.add(worker.id);
      if (listening.size !== count || everListened) return;
      everListened = true;
      log.info({ url: `http://${address.includes(':') ? `[${address}]` : address}:${port}`, workers: count }, 'listening');
    });
    worker.on('exit', (code: number | null, signal: string | null) => {
      listening.delete(worker.id);
      if (stop.signal.aborted) return;
      if (!everListened)
        return failed.reject(
          new ArtifactstoreError('internal', `A worker could not start (exit code ${code ?? signal}); its message stands above.`),
        );
      young = performance.now() - born > soundMilliseconds ? 0 : young + 1;
      const pause = young === 0 ? 0 : Math.min(longestPauseMilliseconds, firstPauseMilliseconds * 2 ** (young - 1));
      log.error({ worker_pid: worker.process.pid, exit_code: code, exit_signal: signal, restart_milliseconds: pause }, 'a worker died');
      void sleep(pause).then(() => {
        if (!stop.signal.aborted) start();
      });
    });
  };

  answerMetrics();
  for (let index = 0; index < count; index += 1) start();
  try {
    await Promise.race([stop.asked, failed.promise]);
  } finally {
    await Promise.all(alive().map(end));
  }
}

function alive(): readonly Worker[] {
  return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
}

/** Ctrl-C at a terminal reaches the workers by itself, so the word goes by the channel, where it can't count as a second signal. */
function end(worker: Worker): Promise<void> {
  if (worker.isDead()) return Promise.resolve();
  return new Promise((resolve) => {
    worker.once('exit', () => resolve());
    if (worker.isConnected()) worker.disconnect();
  });
}

import type { Context } from '../context.ts';
import { incident } from '../incident.ts';
import { collect, sweep } from './collect.ts';
import type { Autorun, AutorunOptions } from './OPERATOR.ts';

const leaseName = 'retention';
const defaultLeaseSeconds = 60;
const longestFirstSeconds = 3600;
/** Renewed this often in its time, so that one renewal may come late or fail. */
const renewals = 3;

/**
 * Sweeps and collects at an interval, for the first time after one, in one process at a time: whoever holds the lease.
 * A holder that is killed loses it when its time has passed, and another continues; nothing depends on it but that the
 * work is not done twice for nothing.
 */
export function startAutorun(context: Context, options: AutorunOptions): Autorun {
  const { database } = context;
  const holder = context.newId();
  const leaseSeconds = options.leaseSeconds ?? defaultLeaseSeconds;
  const stop = new AbortController();
  const running = loop();

  async function loop(): Promise<void> {
    await pause(firstPause(options.intervalSeconds), stop.signal);
    while (!stop.signal.aborted) {
      await run().catch((error: unknown) => {
        if (!stop.signal.aborted) context.onIncident(incident('retention_run_failed', error));
      });
      await pause(options.intervalSeconds * 1000, stop.signal);
    }
  }

  async function run(): Promise<void> {
    await context.clock.requireRight();
    const take = () => database.write('lease.take', { name: leaseName, holder, seconds: leaseSeconds });
    if (!(await take())) return;
    const lost = new AbortController();
    const signal = AbortSignal.any([stop.signal, lost.signal]);
    const renewal = setInterval(
      () => {
        take().then(
          (held) => held || lost.abort(new Error('another process took over the retention run')),
          (error: unknown) => lost.abort(error),
        );
      },
      (leaseSeconds * 1000) / renewals,
    );
    try {
      const actor = 'retention-autorun';
      const swept = await sweep(context, { actor, signal });
      const collected = await collect(context, { actor, signal });
      options.onRun?.({ swept, collected });
    } finally {
      clearInterval(renewal);
      await database.write('lease.release', { name: leaseName, holder }).catch(() => undefined);
    }
  }

  return {
    async stop() {
      stop.abort(new Error('the process is stopping'));
      await running;
    },
  };
}

/**
 * Not at the start, when a clock may not be set yet and others start too; and a server that is restarted every day
 * collects too.
 */
function firstPause(intervalSeconds: number): number {
  return Math.min(intervalSeconds, longestFirstSeconds) * 1000 * (1 + Math.random() / 10);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  timer.unref();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise.finally(() => clearTimeout(timer));
}

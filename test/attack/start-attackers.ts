import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { AttackOrders, AttackReport } from './run-attackers.ts';

export interface Attackers {
  /** By attack, and by what came of it. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly faults: readonly string[];
  readonly underWay: readonly string[];
  stop(): Promise<void>;
}

/** Attacks in a process of their own, until it is stopped. */
export function startAttackers(orders: AttackOrders): Attackers {
  const child: ChildProcess = fork(fileURLToPath(new URL('./run-attackers.ts', import.meta.url)), [JSON.stringify(orders)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  // What it has told last may come behind its end.
  const ended = Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
  const counts = new Map<string, Map<string, number>>();
  const faults: string[] = [];
  let underWay: readonly string[] = [];
  let asked = false;
  child.on('message', (report: AttackReport) => {
    for (const [attack, outcomes] of Object.entries(report.counts)) {
      const of = counts.get(attack) ?? new Map<string, number>();
      counts.set(attack, of);
      for (const [outcome, count] of Object.entries(outcomes)) of.set(outcome, (of.get(outcome) ?? 0) + count);
    }
    faults.push(...report.faults);
    underWay = report.underWay;
  });
  child.once('exit', (code, signal) => {
    if (!asked || code !== 0) faults.push(`the attackers ended with ${code ?? signal}`);
  });
  return {
    counts,
    faults,
    get underWay() {
      return underWay;
    },
    async stop() {
      asked = true;
      if (child.connected) child.send('stop');
      const timer = setTimeout(() => child.kill('SIGKILL'), 120_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

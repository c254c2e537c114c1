import { setPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { oddBodies, oddParameters, operationsOf } from '../doors/rest/odd-requests.ts';
import { seeded } from '../registry/interleaver.ts';
import { type Attack, createAttacker, type Told } from './attacker.ts';
import { byForm } from './by-form.ts';
import { bySchemas } from './by-schemas.ts';
import { bySessions } from './by-sessions.ts';
import { bySize } from './by-size.ts';
import { byUploads } from './by-uploads.ts';
import { onConnections } from './on-connections.ts';

/** What this process is started with, as JSON in its first parameter. It ends when its parent tells it anything. */
export interface AttackOrders {
  readonly url: string;
  readonly token: string;
  readonly seed: number;
  /** Only attacks whose name has this in it. */
  readonly only: string;
}

/** To the parent, every half a second. */
export interface AttackReport {
  readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly faults: readonly string[];
  readonly underWay: readonly string[];
}

/** Attacks at a time, beside the random requests. */
const atOnce = 4;
const longestMilliseconds = 15_000;
const betweenMilliseconds = 300;

const { url, token, seed, only } = JSON.parse(process.argv[2]!) as AttackOrders;
// Attackers bring processors of their own: here they must not take the server's.
setPriority(10);
const random = seeded(seed);
const stop = new AbortController();
let counts: Record<string, Record<string, number>> = {};
let faults: string[] = [];
const underWay = new Set<string>();
const told: Told = {
  count(attack, outcome) {
    const of = counts[attack] ?? {};
    counts[attack] = of;
    of[outcome] = (of[outcome] ?? 0) + 1;
  },
  fault: (text) => void faults.push(text),
};

const odd: Attack = async (attacker) => {
  let described = await attacker.call('GET', '/openapi.json');
  while (described.status !== 200) {
    // Connections that others fill up are closed.
    if (stop.signal.aborted) return;
    await attacker.pause(100);
    described = await attacker.call('GET', '/openapi.json');
  }
  const operations = operationsOf(described.body);
  const { body } = await attacker.call('POST', '/packages', { name: 'n', producer: 'odd', subject: 's', retention_class: 'transient' });
  const requests = [...oddParameters(operations), ...oddBodies(operations, String(body.id))].filter(
    // It would wait.
    ({ url }) => !url.includes('wait='),
  );
  while (!stop.signal.aborted) {
    const { operation, url: path, body, headers } = requests[Math.floor(random() * requests.length)]!;
    await attacker.call(operation.method, path, body, headers);
    await attacker.pause(5);
  }
};

async function run(name: string, attack: Attack, milliseconds: number): Promise<void> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), milliseconds);
  underWay.add(name);
  try {
    await attack(createAttacker(name, { url, token }, AbortSignal.any([stop.signal, timeout.signal]), told));
  } catch (error) {
    if (!stop.signal.aborted && !timeout.signal.aborted) told.fault(`${name}: the attack failed: ${(error as Error).stack}`);
  } finally {
    clearTimeout(timer);
    underWay.delete(name);
  }
}

const all = Object.entries({ ...onConnections, ...bySchemas, ...bySize, ...bySessions, ...byUploads, ...byForm }).filter(([name]) =>
  only.split(',').some((part) => name.includes(part)),
);
let left: typeof all = [];

async function lane(): Promise<void> {
  while (!stop.signal.aborted) {
    if (left.length === 0) left = [...all];
    const [next] = left.splice(Math.floor(random() * left.length), 1);
    if (next === undefined) return;
    const [name, attack] = next;
    await run(name, attack, longestMilliseconds);
    await sleep(betweenMilliseconds, undefined, { signal: stop.signal }).catch(() => undefined);
  }
}

function report(): void {
  if (!process.connected) process.exit();
  process.send!({ counts, faults, underWay: [...underWay] } satisfies AttackReport);
  counts = {};
  faults = [];
}

process.once('message', () => stop.abort());
process.once('disconnect', () => process.exit());
const reports = setInterval(report, 500);
await Promise.all([
  ...Array.from({ length: Math.min(atOnce, all.length) }, lane),
  ...('odd requests'.includes(only) ? [run('odd requests', odd, 2 ** 31 - 1)] : []),
]);
clearInterval(reports);
report();
process.disconnect();

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Table from 'cli-table3';
import { percentile } from '../../bench/figure.ts';
import { openWorkplace } from '../cli/workplace.ts';
import { startPostgres } from '../postgres-server.ts';
import { seeded } from '../registry/interleaver.ts';
import { createGoodClients, type GoodClients } from './good-clients.ts';
import { watchResident } from './resident.ts';
import { type Attackers, startAttackers } from './start-attackers.ts';

/** How long it is attacked; an hour is 3600. */
const seconds = Number(process.env.ARTIFACTSTORE_ATTACK_SECONDS ?? 120);
/** The order of the attacks; another each time where it is not given. */
const seed = Number(process.env.ARTIFACTSTORE_ATTACK_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Parts of the names of the attacks that are made, with commas between them; all where it is empty. */
const only = process.env.ARTIFACTSTORE_ATTACK_ONLY ?? '';
/** `sqlite`, or `postgresql` for a server of its own. */
const database = process.env.ARTIFACTSTORE_ATTACK_DATABASE ?? 'sqlite';
/** Processes that share the port. */
const workers = process.env.ARTIFACTSTORE_ATTACK_WORKERS ?? '1';
const graceSeconds = 10;
const mebibyte = 1_048_576;
/** An hour of all attacks on a busy machine took up to 560 MiB. */
const mostResident = 600 * mebibyte;
/** Of 99 in 100 good requests: on a busy machine so many times what they take without attacks, which was 8 times. */
const [mostMilliseconds, mostTimes] = [1000, 20];
const attackToken = 'a-token-of-somebody-who-attacks';
const goodToken = 'a-token-of-somebody-who-works';

/** What the unit of deploy/systemd sets for the memory of the process. */
const memorySettings = Object.fromEntries(
  /^Environment=(MALLOC.*)$/m
    .exec(readFileSync(join(import.meta.dirname, '../../deploy/systemd/artifactstore.service'), 'utf8'))![1]!
    .split(' ')
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
);

const environment = {
  ...memorySettings,
  ARTIFACTSTORE_AUTH_TOKENS: `good=${goodToken},bad=${attackToken}`,
  ARTIFACTSTORE_API_TOKEN: goodToken,
  ARTIFACTSTORE_ANON_READ: 'true',
  ARTIFACTSTORE_PORT: '0',
  ARTIFACTSTORE_SHUTDOWN_GRACE_SECONDS: String(graceSeconds),
};

const skip = process.platform === 'linux' ? false : 'the memory of another process is read from /proc';

test(`${seconds} seconds of attacks beside good clients`, { skip }, async (context) => {
  assert.ok(['sqlite', 'postgresql'].includes(database), `ARTIFACTSTORE_ATTACK_DATABASE=${database}`);
  const postgres = database === 'postgresql' ? await startPostgres({ fsync: true }) : undefined;
  context.after(() => postgres?.stop());
  using place = openWorkplace({
    ...environment,
    ...(postgres === undefined ? {} : { ARTIFACTSTORE_DATABASE_URL: await postgres.createDatabase() }),
  });
  const random = seeded(seed);
  say(`seed ${seed}; ${database}, ${workers} processes; ${availableParallelism()} cores, load ${loadavg()[0]!.toFixed(1)}`);
  const migrated = await place.spawned('migrate');
  assert.equal(migrated.code, 0, migrated.stderr);
  const server = await serve(place, 'server.log');
  const memory = watchResident(server.process.pid!);
  const good = createGoodClients(server.url, goodToken, random);

  const quietSeconds = Math.min(20, Math.max(5, seconds / 10));
  await during(good, quietSeconds * 1000, () => undefined);
  const quiet = figures(good.takeTimes());
  say(`without attacks: ${quiet.text}`);

  const attackers = startAttackers({ url: server.url, token: attackToken, seed, only });
  const times: number[] = [];
  await during(good, seconds * 1000, (elapsed) => {
    const taken = good.takeTimes();
    times.push(...taken);
    const now = `${Math.round(elapsed / 1000)} s: ${figures(taken).text}, ${good.acknowledged} files kept`;
    say(`${now}, RSS ${Math.round(memory.now / mebibyte)} MiB; ${attackers.underWay.join(', ')}`);
    for (const text of [...attackers.faults.slice(0, 3), ...good.errors.slice(0, 3)]) say(`RED: ${text.slice(0, 400)}`);
  });
  await attackers.stop();
  times.push(...good.takeTimes());
  const attacked = figures(times);
  const limits = await limitsOf(server.url);
  const { peak } = memory;

  say(`reading ${good.acknowledged} files back`);
  await good.readBack(server.url);
  good.takeTimes();

  // Attacked anew, and told to stop in the middle of it.
  const second = startAttackers({ url: server.url, token: attackToken, seed: seed + 1, only });
  const stopping = new AbortController();
  const working = good.run(stopping.signal);
  const before = 2000 + random() * 10_000;
  await sleep(before);
  assert.equal(server.process.exitCode, null, 'the server ended before it was told to');
  const beganToStop = performance.now();
  const exit = once(server.process, 'exit');
  stopping.abort();
  server.process.kill('SIGTERM');
  const [code, signal] = await exit;
  const stopSeconds = (performance.now() - beganToStop) / 1000;
  memory.end();
  await Promise.all([second.stop(), working]);
  say(
    `SIGTERM after ${Math.round(before / 1000)} s, beside ${second.underWay.join(', ')}: ended after ${stopSeconds.toFixed(1)} s with ${code ?? signal}`,
  );

  const verified = await place.spawned('events', 'verify', '--json');
  const again = await serve(place, 'again.log');
  await good.readBack(again.url);
  assert.equal(await again.end(), 0);

  const log = readFileSync(place.path('server.log'), 'utf8');
  const faults = [...attackers.faults, ...second.faults];
  print(attackers, good, limits);
  say(`good clients: ${attacked.text}; without attacks: ${quiet.text}; p99 is ${(attacked.p99 / quiet.p99).toFixed(1)} times that`);
  say(
    `RSS at most ${Math.round(peak / mebibyte)} MiB; ${good.acknowledged} files were acknowledged and read back twice; load ${loadavg()[0]!.toFixed(1)}`,
  );

  assert.deepEqual(
    faults.slice(0, 20).map((fault) => withLogLine(fault, log)),
    [],
    `${faults.length} faults`,
  );
  assert.deepEqual(good.errors.slice(0, 20), [], `${good.errors.length} errors of good clients`);
  assert.deepEqual([code, signal], [0, null], 'how the server ended after SIGTERM');
  // What is left after the grace is ended, which takes its time on a busy machine.
  assert.ok(stopSeconds < graceSeconds + 20, `${stopSeconds} s until the server ended`);
  assert.equal(verified.code, 0, verified.stderr);
  assert.ok(!log.includes(attackToken) && !log.includes(goodToken), 'a token is in the log');
  assert.deepEqual(
    log
      .split('\n')
      .filter((line) => line.includes('"level":50') || line.includes('"level":"error"'))
      .slice(0, 5),
    [],
    'errors in the log',
  );
  assert.ok(peak < mostResident, `RSS ${Math.round(peak / mebibyte)} MiB`);
  assert.ok(attacked.p99 < Math.max(mostMilliseconds, Math.min(mostTimes * quiet.p99, 10_000)), `good clients: ${attacked.text}`);
});

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Good clients work for so long; every five seconds something is said. */
async function during(good: GoodClients, milliseconds: number, tell: (elapsed: number) => void): Promise<void> {
  const stop = new AbortController();
  const begun = performance.now();
  const timer = setInterval(() => tell(performance.now() - begun), 5000);
  const working = good.run(stop.signal);
  await sleep(milliseconds);
  clearInterval(timer);
  stop.abort();
  await working;
}

interface Figures {
  readonly p99: number;
  readonly text: string;
}

function figures(times: readonly number[]): Figures {
  if (times.length === 0) return { p99: Number.POSITIVE_INFINITY, text: 'nothing was answered' };
  const [p50, p99, most] = [0.5, 0.99, 1].map((share) => percentile(times, share)) as [number, number, number];
  return { p99, text: `${times.length} acts, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(0)} ms, at most ${most.toFixed(0)} ms` };
}

interface Server {
  readonly url: string;
  readonly process: import('node:child_process').ChildProcess;
  end(): Promise<number | null>;
}

/** The real `serve`, with its log in a file. */
async function serve(place: ReturnType<typeof openWorkplace>, log: string): Promise<Server> {
  const descriptor = openSync(place.path(log), 'w');
  const child = place.startInto(descriptor, {}, 'serve', '--workers', workers);
  closeSync(descriptor);
  child.stderr!.on('data', (text: Buffer) => say(`server: ${text}`));
  for (;;) {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(readFileSync(place.path(log), 'utf8'))?.[0];
    if (url !== undefined)
      return {
        url,
        process: child,
        async end() {
          const exit = once(child, 'exit');
          child.kill('SIGTERM');
          return (await exit)[0] as number | null;
        },
      };
    assert.equal(child.exitCode, null, 'the server did not start');
    await sleep(50);
  }
}

async function limitsOf(url: string): Promise<readonly (readonly [string, string])[]> {
  for (let tries = 0; ; tries++) {
    // Connections of the attackers may still be there, and one of ours is closed for them.
    const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${goodToken}` } }).catch(() => undefined);
    const text = await answer?.text().catch(() => undefined);
    if (answer?.ok === true && text !== undefined)
      return [...text.matchAll(/^artifactstore_(\w*limits\w*)\{(.*)\} (\d+)$/gm)].map(([, , labels, count]) => [labels!, count!]);
    assert.ok(tries < 100, `/metrics was answered ${answer?.status}`);
    await sleep(100);
  }
}

function withLogLine(fault: string, log: string): string {
  const id = /"request_id":"([^"]+)"/.exec(fault)?.[1];
  const line = id === undefined ? undefined : log.split('\n').find((each) => each.includes(id) && each.includes('"err"'));
  return line === undefined ? fault : `${fault}\n${line.slice(0, 2000)}`;
}

function print({ counts }: Attackers, good: GoodClients, limits: readonly (readonly [string, string])[]): void {
  const table = new Table({ head: ['attack', 'outcomes'], style: { head: [], border: [] } });
  const outcomes = (of: Iterable<readonly [string, number]>) => [...of].map(([outcome, count]) => `${outcome}: ${count}`).join(', ');
  for (const [attack, of] of [...counts].sort()) table.push([attack, outcomes(of)]);
  table.push(['good clients, asked again', outcomes(Object.entries(good.repeated))]);
  table.push(['limits that were held', limits.map(([labels, count]) => `${labels}: ${count}`).join(', ')]);
  say(table.toString());
}

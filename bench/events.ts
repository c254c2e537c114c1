import { spawn } from 'node:child_process';
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { openPostgres } from '../src/database/postgres/postgres.ts';
import { openSqlite } from '../src/database/sqlite/sqlite.ts';
import { type PostgresServer, startPostgres } from '../test/postgres-server.ts';
import { filesOfAPackage, operationsUrl } from './event-operations.ts';
import { addFiles, type Bench } from './event-writers.ts';
import { type Figure, median, progress, report, seconds } from './figure.ts';

// How many acknowledged events a second does the log take, from one server and from two, and how fast does a replay
// fold them again?

const writers = 64;
const appendSeconds = 6;
const packagesToReplay = 2_000;

async function question(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'artifactstore-bench-'));
  const figures: Figure[] = [];
  try {
    const fsyncs = fsyncRate(join(folder, 'fsync'));
    const sqlite: Bench = await openSqlite({ path: join(folder, 'registry.db'), operations: { url: operationsUrl }, migrate: true });
    figures.push({
      ...(await appends('sqlite', sqlite)),
      against: { name: 'fsync', value: fsyncs },
      bar: { of: 'value', atLeast: 10_000 },
    });
    await sqlite.close();

    const long: Bench = await openSqlite({ path: join(folder, 'long.db'), operations: { url: operationsUrl }, migrate: true });
    figures.push({ ...(await replay('sqlite', long)), bar: { of: 'value', atLeast: 40_000 } });
    await long.close();

    const server = await startPostgres({ fsync: true });
    try {
      const postgres: Bench = await openPostgres({
        connectionString: await server.createDatabase(),
        operations: { url: operationsUrl },
        migrate: true,
      });
      figures.push({
        ...(await appends('postgres', postgres)),
        against: { name: 'fsync', value: fsyncs },
        bar: { of: 'value', atLeast: 4_000 },
      });
      await postgres.close();
      figures.push(await twoServers(server));
      const longer: Bench = await openPostgres({
        connectionString: await server.createDatabase(),
        operations: { url: operationsUrl },
        migrate: true,
      });
      figures.push({ ...(await replay('postgres', longer)), bar: { of: 'value', atLeast: 25_000 } });
      await longer.close();
    } finally {
      await server.stop();
    }
    return figures;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function twoServers(server: PostgresServer): Promise<Figure> {
  const url = await server.createDatabase();
  const database: Bench = await openPostgres({ connectionString: url, operations: { url: operationsUrl }, migrate: true });
  await database.close();
  const ones: number[] = [];
  const twos: number[] = [];
  for (let round = 0; round < 3; round++) {
    ones.push(await servers(url, [writers]));
    twos.push(await servers(url, [writers / 2, writers / 2]));
  }
  return {
    name: `postgres: the same by two servers with ${writers / 2} writers each`,
    value: median(twos),
    unit: '/s',
    against: { name: 'one server', value: median(ones) },
    bar: { of: 'ratio', atLeast: 1 },
  };
}

async function appends(name: string, database: Bench): Promise<Figure> {
  progress(`${name}: ${writers} writers`);
  const value = await addFiles(database, writers, appendSeconds);
  return { name: `${name}: files added by ${writers} writers, an acknowledged event each`, value, unit: '/s' };
}

/** As many servers as there are in the list, each a process with so many writers, at the same time; their rates. */
async function servers(url: string, each: readonly number[]): Promise<number> {
  progress(`postgres: servers with ${each.join(' and ')} writers`);
  const started = await Promise.all(
    each.map(async (count) => {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'event-writers.ts'), url, String(count), String(appendSeconds)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      await lines.next();
      return { child, lines };
    }),
  );
  for (const { child } of started) child.stdin.write('begin\n');
  const rates = await Promise.all(started.map(async ({ lines }) => Number((await lines.next()).value)));
  return rates.reduce((sum, rate) => sum + rate, 0);
}

async function replay(name: string, database: Bench): Promise<Figure> {
  progress(`${name}: a log to replay`);
  for (let made = 0; made < packagesToReplay; made += 10) await database.write('addPackages', { count: 10 });
  let events = 0;
  progress(`${name}: replay`);
  const took = await seconds(async () => {
    events = (await database.replay()).events;
  });
  const memory = `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB of memory at most`;
  return {
    name: `${name}: replay of ${events} events, ${filesOfAPackage} files a package`,
    value: events / took,
    unit: '/s',
    note: memory,
  };
}

/** Appends of 4 KiB, each fsynced: what one commit costs on this disk. */
function fsyncRate(path: string): number {
  const descriptor = openSync(path, 'w');
  const block = Buffer.alloc(4096, 1);
  const start = performance.now();
  let count = 0;
  for (; performance.now() - start < 1_000; count++) {
    writeSync(descriptor, block);
    fsyncSync(descriptor);
  }
  closeSync(descriptor);
  return count / ((performance.now() - start) / 1_000);
}

await report(question);

import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Database } from '../src/database/DATABASE.ts';
import { openPostgres } from '../src/database/postgres/postgres.ts';
import { openSqlite } from '../src/database/sqlite/sqlite.ts';
import { startPostgres } from '../test/postgres-server.ts';
import { type BenchOperations, filesOfAPackage, operationsUrl } from './event-operations.ts';
import { type Figure, progress, report, seconds } from './figure.ts';

// How many acknowledged events a second does the log take, and how fast does a replay fold them again?

const writers = 64;
const appendSeconds = 6;
const packagesToReplay = 2_000;

async function question(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'artifactstore-bench-'));
  const figures: Figure[] = [];
  try {
    const fsyncs = fsyncRate(join(folder, 'fsync'));
    const sqlite: Bench = await openSqlite({ path: join(folder, 'registry.db'), operations: { url: operationsUrl }, migrate: true });
    figures.push({ ...(await appends('sqlite', sqlite)), against: { name: 'fsync', value: fsyncs }, bar: { of: 'value', atLeast: 5_000 } });
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
      figures.push({ ...(await appends('postgres', postgres)), against: { name: 'fsync', value: fsyncs } });
      await postgres.close();
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

type Bench = Database<BenchOperations>;

async function appends(name: string, database: Bench): Promise<Figure> {
  progress(`${name}: ${writers} writers`);
  const packages = await Promise.all(Array.from({ length: writers }, () => database.write('openPackage', null)));
  let done = 0;
  const start = performance.now();
  const took = await seconds(() =>
    Promise.all(
      packages.map(async (packageId) => {
        while (performance.now() - start < appendSeconds * 1_000) {
          await database.write('addFile', { packageId });
          done += 1;
        }
      }),
    ),
  );
  return { name: `${name}: acknowledged appends by ${writers} writers, an event each`, value: done / took, unit: '/s' };
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

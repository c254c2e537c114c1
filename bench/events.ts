import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';
import type { Database, Transaction } from '../src/database/DATABASE.ts';
import { openPostgres } from '../src/database/postgres.ts';
import { openSqlite } from '../src/database/sqlite.ts';
import type { NewEvent } from '../src/kernel/event.ts';
import type { ManifestFile } from '../src/kernel/manifest.ts';
import { startPostgres } from '../test/postgres-server.ts';
import { type Figure, progress, report, seconds } from './figure.ts';

// How many acknowledged events a second does the log take, and how fast does a replay fold them again?

const writers = 64;
const appendSeconds = 6;
const packagesToReplay = 2_000;
const filesOfAPackage = 100;

async function question(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'artifactstore-bench-'));
  const figures: Figure[] = [];
  try {
    const fsyncs = fsyncRate(join(folder, 'fsync'));
    const sqlite: Bench = await openSqlite({ path: join(folder, 'registry.db'), operations: { url }, migrate: true });
    figures.push({ ...(await appends('sqlite', sqlite)), against: { name: 'fsync', value: fsyncs }, bar: { of: 'value', atLeast: 5_000 } });
    await sqlite.close();

    const long: Bench = await openSqlite({ path: join(folder, 'long.db'), operations: { url }, migrate: true });
    figures.push({ ...(await replay('sqlite', long)), bar: { of: 'value', atLeast: 50_000 } });
    await long.close();

    const server = await startPostgres({ fsync: true });
    try {
      const postgres: Bench = await openPostgres({ connectionString: await server.createDatabase(), operations: { url }, migrate: true });
      figures.push({ ...(await appends('postgres', postgres)), against: { name: 'fsync', value: fsyncs } });
      await postgres.close();
      const longer: Bench = await openPostgres({ connectionString: await server.createDatabase(), operations: { url }, migrate: true });
      figures.push(await replay('postgres', longer));
      await longer.close();
    } finally {
      await server.stop();
    }
    return figures;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Bench = Database<typeof operations>;

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

const url = new URL(import.meta.url);
const actor = 'bench';

async function openPackage(transaction: Transaction, _input: null): Promise<string> {
  const id = transaction.newId();
  transaction.append(packageCreated(id));
  return id;
}

/** As an ingest does: it looks at the package and at the path before it decides. */
async function addFile(transaction: Transaction, input: { readonly packageId: string }): Promise<number> {
  const { packageId } = input;
  const file = newFile(transaction.newId());
  await transaction.sql.selectFrom('artifact_packages').select('status').where('id', '=', packageId).executeTakeFirstOrThrow();
  await transaction.sql
    .selectFrom('artifact_files')
    .select('id')
    .where('package_id', '=', packageId)
    .where('relative_path', '=', file.relative_path)
    .executeTakeFirst();
  return transaction.append(ingested(transaction, packageId, file));
}

/** Packages with their files, sealed and verified. */
async function addPackages(transaction: Transaction, input: { readonly count: number }): Promise<void> {
  for (let made = 0; made < input.count; made++) {
    const id = transaction.newId();
    transaction.append(packageCreated(id));
    transaction.append({
      event_type: 'v1.retention.default_applied',
      subject_kind: 'package',
      subject_id: id,
      actor,
      payload: { package_id: id, retention_class: 'raw-evidence', expires_at: '2027-01-01T00:00:00.000Z' },
    });
    const files = Array.from({ length: filesOfAPackage }, () => newFile(transaction.newId()));
    const locations: string[] = [];
    for (const file of files) {
      const event = ingested(transaction, id, file);
      if (event.event_type === 'v1.file.ingested') locations.push(event.payload.location.id);
      transaction.append(event);
    }
    transaction.append({
      event_type: 'v1.package.finalized',
      subject_kind: 'package',
      subject_id: id,
      actor,
      payload: {
        manifest_version: 1,
        package: {
          id,
          name: 'run',
          producer: 'bench',
          subject: 'events',
          retention_class: 'raw-evidence',
          metadata: {},
          metadata_schema_slug: null,
          created_at: transaction.now,
          created_by: actor,
        },
        files,
        storage_receipts: files.map((file) => ({
          file_id: file.id,
          backend_id: 'local',
          object_key: file.digest_primary,
          content_address: file.content_address,
          stored_at: transaction.now,
        })),
        retention_summary: { retention_class: 'raw-evidence', expires_at: '2027-01-01T00:00:00.000Z' },
        provenance: { finalized_at: transaction.now, finalized_by: actor, registry_id: transaction.registryId, software: 'bench' },
      },
    });
    transaction.append({
      event_type: 'v1.storage.location_verified',
      subject_kind: 'backend',
      subject_id: 'local',
      actor,
      payload: { backend_id: 'local', result: 'ok', location_ids: locations },
    });
  }
}

function packageCreated(id: string): NewEvent {
  return {
    event_type: 'v1.package.created',
    subject_kind: 'package',
    subject_id: id,
    actor,
    payload: {
      id,
      name: 'run',
      producer: 'bench',
      subject: 'events',
      retention_class: 'raw-evidence',
      metadata: { commit: id, branch: 'main', attempt: 1 },
      metadata_schema_slug: null,
    },
  };
}

function newFile(id: string): ManifestFile {
  const digest_primary = randomBytes(32).toString('hex');
  return {
    id,
    relative_path: `reports/${id}.json`,
    media_type: 'application/json',
    size_bytes: 1_000,
    digest_algorithm: 'blake3',
    digest_primary,
    digest_sha256: randomBytes(32).toString('hex'),
    content_address: `blake3:${digest_primary}`,
    annotations: {},
  };
}

function ingested(transaction: Transaction, package_id: string, file: ManifestFile): NewEvent {
  return {
    event_type: 'v1.file.ingested',
    subject_kind: 'file',
    subject_id: file.id,
    actor,
    payload: {
      ...file,
      package_id,
      location: {
        id: transaction.newId(),
        backend_id: 'local',
        object_key: `blake3/${file.digest_primary.slice(0, 2)}/${file.digest_primary.slice(2, 4)}/${file.digest_primary}`,
        generation: 0,
        made_live: true,
      },
    },
  };
}

export const operations: {
  readonly writes: { readonly openPackage: typeof openPackage; readonly addFile: typeof addFile; readonly addPackages: typeof addPackages };
  readonly reads: Readonly<Record<never, never>>;
} = { writes: { openPackage, addFile, addPackages }, reads: {} };

// The database's thread loads this module, too: for the operations.
if (isMainThread) await report(question);

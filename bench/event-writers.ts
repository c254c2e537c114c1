import { randomBytes, randomUUID } from 'node:crypto';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { Database } from '../src/database/DATABASE.ts';
import { openPostgres } from '../src/database/postgres/postgres.ts';
import type { ContentAddress } from '../src/kernel/content/address.ts';
import { type BenchOperations, operationsUrl } from './event-operations.ts';

export type Bench = Database<BenchOperations>;

/**
 * Files that so many writers add one by one, each into a package of its own, for so long; how many a second. As a
 * server adds one whose bytes are published: an event each.
 */
export async function addFiles(database: Bench, writers: number, seconds: number): Promise<number> {
  const packages = await Promise.all(Array.from({ length: writers }, () => createPackage(database)));
  let done = 0;
  const start = performance.now();
  const end = start + seconds * 1_000;
  await Promise.all(
    packages.map(async (id) => {
      while (performance.now() < end) {
        await addFile(database, id);
        done += 1;
      }
    }),
  );
  return done / ((performance.now() - start) / 1_000);
}

async function createPackage(database: Bench): Promise<string> {
  const asked = { name: 'run', producer: 'bench', subject: 'events', retention_class: 'raw-evidence', metadata_schema_slug: null };
  const { record } = await database.write('package.create', {
    actor: 'bench',
    package: { ...asked, metadata: { commit: randomUUID(), branch: 'main', attempt: 1 } },
    quota: null,
    duration_seconds: 86_400,
    idempotency: null,
  });
  return record.id;
}

async function addFile(database: Bench, packageId: string): Promise<void> {
  const digest = randomBytes(32).toString('hex');
  const item = {
    relative_path: `reports/${randomUUID()}.json`,
    media_type: 'application/json',
    annotations: {},
    size_bytes: 1_000,
    digest_algorithm: 'blake3',
    digest_primary: digest,
    digest_sha256: randomBytes(32).toString('hex'),
    content_address: `blake3:${digest}` as ContentAddress,
    backend_id: 'local',
    generation: 0,
    block_digests: null,
  };
  const { outcome } = await database.write('file.add', { actor: 'bench', package_id: packageId, quota: null, items: [item] });
  if (outcome !== 'added') throw new Error(`a new file was answered with ${outcome}`);
}

/** As a process of its own it is a server's part of it: begins at a line of its input, and prints the rate. */
if (import.meta.main) {
  const [url, writers, seconds] = process.argv.slice(2);
  const database: Bench = await openPostgres({ connectionString: url!, operations: { url: operationsUrl } });
  await database.health();
  process.stdout.write('ready\n');
  for await (const _ of createInterface({ input: process.stdin })) {
    process.stdout.write(`${await addFiles(database, Number(writers), Number(seconds))}\n`);
    break;
  }
  await database.close();
  process.exit(0);
}

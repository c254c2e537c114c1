import { type Kysely, type RawBuilder, sql } from '#kysely';
import type { Snapshot } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import type { PackageStatus } from '../../kernel/views/view.ts';
import type { File, FileTarget } from '../REGISTRY.ts';
import { type FileRow, fileRecord, type LocationRow, locationRecord } from './files.ts';
import { primaryAddressesOf } from './primary-addresses.ts';

/** A file to read, with what its package is, and its live locations, the best first. */
export interface LocatedFile {
  readonly file: File;
  readonly package_status: PackageStatus;
  readonly producer: string;
  readonly locations: readonly {
    readonly backend_id: string;
    readonly object_key: string;
    readonly generation: number;
    readonly failed: boolean;
    /** Whether the backend has the bytes by itself, and needs nothing that is held. */
    readonly settled: boolean;
  }[];
  readonly block_digests: Uint8Array | null;
}

export async function locateFile(snapshot: Snapshot, target: FileTarget): Promise<LocatedFile | undefined> {
  const condition = await conditionOf(snapshot.sql, target);
  return condition === undefined ? undefined : (await locate(snapshot.sql, condition))[0];
}

export interface FilesToLocate {
  readonly package_id: string;
  readonly relative_paths: readonly string[];
  /** Keys of those that are wanted, since all of them can be 70 KB for each file; all where absent. */
  readonly annotations?: readonly string[] | undefined;
}

/** Files of one package, at most as many as one statement takes: those that it has, in any order. */
export async function locateFiles(snapshot: Snapshot, input: FilesToLocate): Promise<readonly LocatedFile[]> {
  const { package_id, relative_paths, annotations: keys } = input;
  const located = await locate(snapshot.sql, sql`f.package_id = ${package_id} and f.relative_path in (${sql.join(relative_paths)})`);
  if (keys === undefined) return located;
  return located.map(({ file, ...rest }) => {
    const annotations = Object.fromEntries(Object.entries(file.annotations).filter(([key]) => keys.includes(key)));
    return { ...rest, file: { ...file, annotations } };
  });
}

/**
 * One statement, in SQL: every download begins with it, and to build it again would cost several times what it takes to
 * run.
 */
async function locate(database: Kysely<Schema>, condition: RawBuilder<unknown>): Promise<readonly LocatedFile[]> {
  const { rows } = await sql<LocatedRow>`
    select f.*, p.status as package_status, p.producer, l.id as location_id, l.backend_id, l.object_key, l.generation, l.state, l.stored_at,
      l.verified_at, l.retrieval_tier, l.restore_status,
      (select count(*) from held_objects as h where h.backend_id = l.backend_id and h.object_key = l.object_key) as held
    from artifact_files as f
    join artifact_packages as p on p.id = f.package_id
    join storage_locations as l on l.file_id = f.id
    where ${condition} order by l.id`.execute(database);
  const files = [...Map.groupBy(rows, ({ id }) => id).values()];
  const blocks = await blockDigests(
    database,
    files.map(([row]) => row!),
  );
  return files.map((ofFile) => locatedFile(ofFile, blocks.get(ofFile[0]!.content_address) ?? null));
}

/** By content address, of the files that have more than one block. */
async function blockDigests(database: Kysely<Schema>, rows: readonly LocatedRow[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const addresses = rows.filter(({ size_bytes }) => size_bytes > 1_048_576).map(({ content_address }) => content_address);
  if (addresses.length === 0) return new Map();
  const found = await database
    .selectFrom('block_digests')
    .select(['content_address', 'digests'])
    .where('content_address', 'in', addresses)
    .execute();
  return new Map(found.map(({ content_address, digests }) => [content_address, digests]));
}

function locatedFile(rows: readonly LocatedRow[], block_digests: Uint8Array | null): LocatedFile {
  const [row] = rows as [LocatedRow];
  return {
    file: fileRecord(
      row,
      rows.map((location) => locationRecord({ ...location, id: location.location_id })),
    ),
    package_status: row.package_status,
    producer: row.producer,
    locations: rows
      .filter(({ state }) => state !== 'deleted')
      .map((location) => ({
        backend_id: location.backend_id,
        object_key: location.object_key,
        generation: location.generation,
        failed: location.state === 'failed',
        settled: Number(location.held) === 0,
      }))
      .sort((left, right) => Number(left.failed) - Number(right.failed)),
    block_digests,
  };
}

/** A file has a location from its first event on, and keeps it: once deleted, it says so. */
type LocatedRow = FileRow & {
  readonly package_status: PackageStatus;
  readonly producer: string;
  readonly location_id: string;
  readonly held: number;
} & Omit<LocationRow, 'id'>;

async function conditionOf(database: Kysely<Schema>, target: FileTarget): Promise<RawBuilder<unknown> | undefined> {
  if ('file_id' in target) return sql`f.id = ${target.file_id}`;
  if ('package_id' in target) return sql`f.package_id = ${target.package_id} and f.relative_path = ${target.relative_path}`;
  const addresses = await primaryAddressesOf(database, target.content_address);
  const live = await database
    .selectFrom('storage_locations')
    .select('file_id')
    .where('content_address', 'in', addresses)
    .where('state', 'in', ['stored', 'verified'])
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  if (live !== undefined) return sql`f.id = ${live.file_id}`;
  const last = await database
    .selectFrom('artifact_files')
    .select('id')
    .where('content_address', 'in', addresses)
    .orderBy('created_sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last === undefined ? undefined : sql`f.id = ${last.id}`;
}

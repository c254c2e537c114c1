import { type Kysely, sql } from '#kysely';
import type { Schema } from '../../database/schema.ts';
import type { Quota } from '../../kernel/access.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Timestamp } from '../../kernel/time.ts';
import type { PackageStatus } from '../../kernel/views/view.ts';
import { beyond } from '../input.ts';
import { limits } from '../limits.ts';
import type { File } from '../REGISTRY.ts';
import { type FileRow, fileRecords, textSize } from './files.ts';
import { type ObjectRow, readObjects } from './objects.ts';
import { noPackage } from './packages.ts';
import { readUsed, type Used } from './quota.ts';
import { distinct, filled } from './sets.ts';

// What is decided on when files are added: read once for all inputs of a set, and kept true while they are decided.

/** What asks for it: files of a package, at paths, with the objects of their bytes. */
export interface Asking {
  readonly package_id: string;
  readonly quota: Quota | null;
  readonly items: readonly { readonly relative_path: string; readonly backend_id: string; readonly content_address: string }[];
}

export interface IngestState {
  readonly owners: Map<string, Owner>;
  /** What is at paths of packages, by `fileKey`. */
  readonly files: Map<string, KnownFile>;
  /** By `<backend_id> <content_address>`. */
  readonly objects: ReadonlyMap<string, { current: ObjectRow }>;
  /** Of producers with a quota of bytes. */
  readonly used: Used;
}

/** The package. */
export interface Owner {
  readonly id: string;
  readonly producer: string;
  readonly status: PackageStatus;
  readonly file_count: number;
}

export interface KnownFile {
  readonly package_id: string;
  readonly relative_path: string;
  readonly size_bytes: number;
  readonly digest_sha256: string;
  readonly content_address: string;
  /** Of the path and the annotations. */
  readonly text_bytes: number;
  /** Undefined until it is read. */
  readonly record: (() => File) | undefined;
}

export function fileKey(packageId: string, path: string): string {
  return `${packageId} ${path}`;
}

/** Of reservations it says what `readUsed` says for that time. */
export async function readIngest(database: Kysely<Schema>, inputs: readonly Asking[], now: Timestamp | null): Promise<IngestState> {
  const [places, objects] = await Promise.all([
    readPlaces(database, inputs, now),
    readObjects(
      database,
      inputs.flatMap(({ items }) => items),
    ),
  ]);
  return { ...places, objects };
}

/** All but the objects. */
export async function readPlaces(
  database: Kysely<Schema>,
  inputs: readonly (Omit<Asking, 'items'> & { readonly items: readonly Pick<Place, 'relative_path'>[] })[],
  now: Timestamp | null,
): Promise<Omit<IngestState, 'objects'>> {
  const packages = database.selectFrom('artifact_packages').select(['id', 'producer', 'status', 'file_count']);
  const ids = distinct(inputs.map((input) => input.package_id));
  const bounded = distinct(inputs.filter(({ quota }) => (quota?.maximum_bytes ?? null) !== null).map((input) => input.package_id));
  const places = inputs.flatMap(({ package_id, items }) => items.map(({ relative_path }) => ({ package_id, relative_path })));
  const reading = packages.where('id', 'in', ids).execute();
  // A package without files is not asked for many.
  const empty = places.length > 100 ? new Set((await reading).filter((row) => row.file_count === 0).map((row) => row.id)) : none;
  const [owners, files, used] = await Promise.all([
    reading,
    readKnownFiles(
      database,
      places.filter(({ package_id }) => !empty.has(package_id)),
    ),
    bounded.length === 0
      ? new Map()
      : readUsed(database, database.selectFrom('artifact_packages').select('producer').where('id', 'in', bounded), now),
  ]);
  return { owners: new Map(owners.map((row) => [row.id, row])), files, used };
}

export function ownerOf({ owners }: IngestState, id: string): Owner {
  const owner = owners.get(id);
  if (owner === undefined) throw noPackage(id);
  return owner;
}

/**
 * Of the paths those that are there already, by path. Their annotations came with other requests, so nothing about this
 * one says how long they are: that is asked before any is loaded.
 */
export function repeatedFiles({ files }: IngestState, packageId: string, paths: readonly string[]): Map<string, KnownFile> {
  const there = new Map<string, KnownFile>();
  let bytes = 0;
  for (const path of paths) {
    const file = files.get(fileKey(packageId, path));
    if (file === undefined || there.has(path)) continue;
    there.set(path, file);
    bytes += file.text_bytes;
  }
  if (bytes > limits.repeatedBytes)
    throw new ArtifactstoreError(
      'too_many_files',
      `The package has files at these paths already, with ${bytes} bytes of annotations; one answer shows at most ${limits.repeatedBytes}.`,
      { field: 'relative_path', info: { ...beyond('repeated_bytes').info, hint: 'name fewer files at once' } },
    );
  return there;
}

/** Their records, by path. */
export async function recordsOf(
  database: Kysely<Schema>,
  state: IngestState,
  there: ReadonlyMap<string, KnownFile>,
): Promise<ReadonlyMap<string, () => File>> {
  const unread = [...there.values()].filter(({ record }) => record === undefined);
  if (unread.length > 0) {
    const rows = (await together(pairsIn(unread), (pairs) => whole(database, pairs))).flat();
    for (const record of await fileRecords(database, rows)) {
      const key = fileKey(record.package_id, record.relative_path);
      state.files.set(key, { ...state.files.get(key)!, record: () => record });
    }
  }
  return new Map(
    [...there.values()].map((file) => [file.relative_path, state.files.get(fileKey(file.package_id, file.relative_path))!.record!]),
  );
}

const none: ReadonlySet<string> = new Set();

interface Place {
  readonly package_id: string;
  readonly relative_path: string;
}

async function readKnownFiles(database: Kysely<Schema>, places: readonly Place[]): Promise<Map<string, KnownFile>> {
  const known = new Map<string, KnownFile>();
  const rows = (await together(pairsIn(places), (pairs) => short(database, pairs))).flat();
  for (const { size, ...row } of rows)
    known.set(fileKey(row.package_id, row.relative_path), { ...row, text_bytes: Number(size), record: undefined });
  return known;
}

async function short(database: Kysely<Schema>, pairs: Pairs) {
  const { rows } = await sql<Omit<KnownFile, 'text_bytes' | 'record'> & { readonly size: number }>`
    select f.package_id, f.relative_path, f.size_bytes, f.digest_sha256, f.content_address, ${textSize.expression} as size
    from ${pairs} as k join artifact_files as f on f.package_id = k.column1 and f.relative_path = k.column2`.execute(database);
  return rows;
}

async function whole(database: Kysely<Schema>, pairs: Pairs) {
  const { rows } = await sql<FileRow>`
    select distinct f.* from ${pairs} as k join artifact_files as f on f.package_id = k.column1 and f.relative_path = k.column2`.execute(
    database,
  );
  return rows;
}

type Pairs = ReturnType<typeof sql>;

/** Lists of `(package, path)`, each short enough for one statement. */
function pairsIn(places: readonly Place[]): Pairs[] {
  const lists: Pairs[] = [];
  for (let start = 0; start < places.length; start += 500) {
    const rows = filled(places.slice(start, start + 500)).map((place) => sql`(${place.package_id}, ${place.relative_path})`);
    lists.push(sql`(values ${sql.join(rows)})`);
  }
  return lists;
}

function together<A, B>(values: readonly A[], ask: (value: A) => Promise<B>): Promise<B[]> {
  return Promise.all(values.map(ask));
}

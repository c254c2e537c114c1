import { type AliasedRawBuilder, type Kysely, type Selectable, sql } from '#kysely';
import type { Snapshot } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import type { Scope } from '../../kernel/access.ts';
import { encodeItems } from '../../kernel/format/encoded-page.ts';
import { keptTexts } from '../../kernel/format/json-text.ts';
import type { ManifestFile } from '../../kernel/manifest.ts';
import type { ViewTables } from '../../kernel/views/view.ts';
import type { File, FoundFile, Location } from '../REGISTRY.ts';
import { fitting, type LookedAt, type LookedEncoded, type Stretch } from './page.ts';
import { primaryAddressesOf } from './primary-addresses.ts';
import { readableFiles } from './readable-files.ts';

export type FileRow = Selectable<ViewTables['artifact_files']>;
export type LocationRow = Pick<
  Selectable<ViewTables['storage_locations']>,
  'id' | 'backend_id' | 'object_key' | 'generation' | 'state' | 'stored_at' | 'verified_at' | 'retrieval_tier' | 'restore_status'
>;

export async function getFile(snapshot: Snapshot, input: { readonly id: string }): Promise<File | undefined> {
  const row = await snapshot.sql.selectFrom('artifact_files').selectAll().where('id', '=', input.id).executeTakeFirst();
  return row === undefined ? undefined : (await fileRecords(snapshot.sql, [row]))[0];
}

export async function findFile(
  snapshot: Snapshot,
  input: { readonly package_id: string; readonly relative_path: string },
): Promise<File | undefined> {
  const row = await snapshot.sql
    .selectFrom('artifact_files')
    .selectAll()
    .where('package_id', '=', input.package_id)
    .where('relative_path', '=', input.relative_path)
    .executeTakeFirst();
  return row === undefined ? undefined : (await fileRecords(snapshot.sql, [row]))[0];
}

export interface ListFiles {
  readonly package_id: string;
  readonly limit: number;
  readonly after: string | null;
}

/** By relative path, bytewise; undefined when there is no package. */
export async function listFiles(snapshot: Snapshot, input: ListFiles): Promise<Stretch<File> | undefined> {
  const found = await snapshot.sql.selectFrom('artifact_packages').select('id').where('id', '=', input.package_id).executeTakeFirst();
  if (found === undefined) return undefined;
  let query = snapshot.sql.selectFrom('artifact_files').where('package_id', '=', input.package_id).orderBy('relative_path');
  if (input.after !== null) query = query.where('relative_path', '>', input.after);
  const sizes = await query
    .select(textSize)
    .limit(input.limit + 1)
    .execute();
  const { count, more } = fitting(sizes, input.limit);
  return { items: count === 0 ? [] : await fileRecords(snapshot.sql, await query.selectAll().limit(count).execute()), more };
}

/** Files as JSON (`encodeItems`). */
export interface EncodedFiles {
  readonly moved: readonly [Uint8Array];
  readonly item_count: number;
  /** The path of the last one; undefined where there is none. */
  readonly last: string | undefined;
  readonly more: boolean;
}

/** The same, as JSON. */
export async function listFilesEncoded(snapshot: Snapshot, input: ListFiles): Promise<EncodedFiles | undefined> {
  const page = await listFiles(snapshot, input);
  if (page === undefined) return undefined;
  const { items, more } = page;
  return { moved: [encodedRecords(items)], item_count: items.length, last: items.at(-1)?.relative_path, more };
}

function encodedRecords(records: readonly object[]): Uint8Array {
  return encodeItems(records.map((record) => JSON.stringify(record)));
}

export const textSize: AliasedRawBuilder<number, 'size'> = sql<number>`octet_length(annotations) + octet_length(relative_path)`.as('size');

export interface FilesWithDigest {
  readonly content_address: string;
  readonly scope: Scope;
  readonly limit: number;
  readonly after: number | null;
  /** That the page has already. */
  readonly bytes: number;
}

/** Oldest first. For a narrow scope it looks at a stretch of the files that have these bytes. */
export async function filesWithDigest(snapshot: Snapshot, input: FilesWithDigest): Promise<LookedAt<FoundFile>> {
  const addresses = await primaryAddressesOf(snapshot.sql, input.content_address);
  const files = snapshot.sql.selectFrom('artifact_files').orderBy('created_sequence');
  let query = files.where('content_address', 'in', addresses);
  if (input.after !== null) query = query.where('created_sequence', '>', input.after);
  let reached: number | null = null;
  if (input.scope !== 'everything') {
    const readable = await readableFiles(snapshot.sql, { ...input, addresses, limit: input.limit + 1 });
    reached = readable.reached;
    if (readable.files.length === 0) return { ...nothing, reached, bytes: input.bytes };
    const sequences = readable.files.map(({ created_sequence }) => created_sequence);
    query = files.where('created_sequence', 'in', sequences).where('content_address', 'in', addresses);
  }
  const sizes = await query
    .select(textSize)
    .limit(input.limit + 1)
    .execute();
  const { count, more, bytes } = fitting(sizes, input.limit, input.bytes);
  if (count === 0) return { ...nothing, more, reached, bytes };
  const rows = await query.selectAll().limit(count).execute();
  const records = await fileRecords(snapshot.sql, rows);
  const packages = await packagesOf(snapshot.sql, [...new Set(rows.map((row) => row.package_id))]);
  const items = records.map((record) => ({ ...record, package: packages.get(record.package_id)! }));
  return { items, item_count: items.length, last: rows.at(-1)!.created_sequence, more, reached, bytes };
}

const nothing = { items: [], item_count: 0, last: null, more: false } as const;

/** The same, as JSON. */
export async function filesWithDigestEncoded(snapshot: Snapshot, input: FilesWithDigest): Promise<LookedEncoded> {
  const { items, ...looked } = await filesWithDigest(snapshot, input);
  return { ...looked, moved: [encodedRecords(items)] };
}

async function packagesOf(database: Kysely<Schema>, ids: readonly string[]): Promise<ReadonlyMap<string, FoundFile['package']>> {
  const found = new Map<string, FoundFile['package']>();
  for (let start = 0; start < ids.length; start += 500)
    for (const row of await database
      .selectFrom('artifact_packages')
      .select(['id', 'name', 'producer', 'subject', 'status'])
      .where('id', 'in', ids.slice(start, start + 500))
      .execute())
      found.set(row.id, row);
  return found;
}

/** Rows of `artifact_files` with their locations, in the order given. */
export async function fileRecords(database: Kysely<Schema>, rows: readonly FileRow[]): Promise<File[]> {
  if (rows.length === 0) return [];
  const locations = new Map<string, Location[]>();
  for (let start = 0; start < rows.length; start += 500) {
    const ids = rows.slice(start, start + 500).map((row) => row.id);
    const found = await database.selectFrom('storage_locations').selectAll().where('file_id', 'in', ids).orderBy('id').execute();
    for (const location of found) {
      const list = locations.get(location.file_id) ?? [];
      list.push(locationRecord(location));
      locations.set(location.file_id, list);
    }
  }
  return rows.map((row) => fileRecord(row, locations.get(row.id) ?? []));
}

export function fileRecord(row: FileRow, locations: readonly Location[]): File {
  return {
    ...manifestFile(row),
    package_id: row.package_id,
    created_at: row.created_at,
    locations,
  };
}

/** A row as a manifest has it. */
export function manifestFile(row: FileRow): ManifestFile {
  return {
    id: row.id,
    relative_path: row.relative_path,
    media_type: row.media_type,
    size_bytes: row.size_bytes,
    digest_algorithm: row.digest_algorithm,
    digest_primary: row.digest_primary,
    digest_sha256: row.digest_sha256,
    content_address: row.content_address,
    annotations: keptTexts(row.annotations),
  };
}

export function locationRecord(row: LocationRow): Location {
  return {
    id: row.id,
    backend_id: row.backend_id,
    object_key: row.object_key,
    state: row.state,
    stored_at: row.stored_at,
    verified_at: row.verified_at,
    retrieval_tier: row.retrieval_tier,
    restore_status: row.restore_status,
  };
}

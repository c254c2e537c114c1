import type { Kysely } from '#kysely';
import type { Snapshot } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import { type Scope, scopeTest } from '../../kernel/access.ts';
import type { ViewTables } from '../../kernel/views/view.ts';
import { eachPrimary, primaryAddressesOf } from './primary-addresses.ts';

/**
 * Files by their bytes, of producers in a scope. Files of any number of other producers may have the same bytes, so one
 * read looks at a stretch of them, and says from where to continue.
 */
export interface ReadableStretch {
  readonly files: readonly ReadableFile[];
  /** The sequence that was looked at last; null when there are no more. */
  readonly reached: number | null;
}

export type ReadableFile = Pick<ViewTables['artifact_files'], 'id' | 'content_address' | 'created_sequence'>;

/** Files that one read looks at; the first of a list fewer, since that is mostly enough. */
const lookedAt = 2_000;
const lookedAtFirst = 200;

/** Oldest first, after a sequence; at most `limit` of them. */
export async function readableFiles(
  database: Kysely<Schema>,
  input: { readonly addresses: readonly string[]; readonly scope: Scope; readonly after: number | null; readonly limit: number },
): Promise<ReadableStretch> {
  const { after, limit } = input;
  const looked = after === null ? lookedAtFirst : lookedAt;
  const rows = await database
    .selectFrom('artifact_files as f')
    .innerJoin('artifact_packages as p', 'p.id', 'f.package_id')
    .select(['f.id', 'f.content_address', 'f.created_sequence', 'p.producer'])
    .where('f.content_address', 'in', input.addresses)
    .$if(after !== null, (query) => query.where('f.created_sequence', '>', after!))
    .orderBy('f.created_sequence')
    .limit(looked)
    .execute();
  const sees = scopeTest(input.scope);
  const files: ReadableFile[] = [];
  for (const { producer, ...file } of rows) {
    if (!sees(producer)) continue;
    files.push(file);
    if (files.length === limit) return { files, reached: file.created_sequence };
  }
  return { files, reached: rows.length < looked ? null : rows.at(-1)!.created_sequence };
}

/** A file that can stand for its bytes: one whose bytes are live, the oldest, and else the youngest. */
export interface Representative {
  readonly live: string | null;
  readonly last: string | null;
  readonly reached: number | null;
}

/** From one stretch of the files with these bytes. */
export async function findRepresentative(
  snapshot: Snapshot,
  input: { readonly content_address: string; readonly scope: Scope; readonly after: number | null },
): Promise<Representative> {
  const addresses = await primaryAddressesOf(snapshot.sql, input.content_address);
  const { files, reached } = await readableFiles(snapshot.sql, { ...input, addresses, limit: lookedAt });
  const live = await liveFiles(
    snapshot.sql,
    files.map(({ id }) => id),
  );
  const found = files.find(({ id }) => live.has(id));
  return { live: found?.id ?? null, last: files.at(-1)?.id ?? null, reached };
}

export interface Claims {
  /** By the address that was asked for: files that claim live objects with these bytes, one for each backend. */
  readonly files: ReadonlyMap<string, readonly string[]>;
  /** Of these no such file was found yet, and not all files were looked at. */
  readonly undecided: readonly string[];
}

/** Files of the scope whose bytes are live, for each of at most 250 addresses. */
export async function findClaims(
  snapshot: Snapshot,
  input: { readonly addresses: readonly string[]; readonly scope: Scope },
): Promise<Claims> {
  const primary = await eachPrimary(snapshot.sql, input.addresses);
  const rows = await snapshot.sql
    .selectFrom('artifact_files as f')
    .innerJoin('artifact_packages as p', 'p.id', 'f.package_id')
    .select(['f.id', 'f.content_address', 'p.producer'])
    .where('f.content_address', 'in', [...new Set([...primary.values()].flat())])
    .limit(lookedAt)
    .execute();
  const sees = scopeTest(input.scope);
  const readable = rows.filter(({ producer }) => sees(producer));
  const live = await liveFiles(
    snapshot.sql,
    readable.map(({ id }) => id),
  );
  const found = Map.groupBy(readable, ({ content_address }) => content_address);
  const files = new Map<string, readonly string[]>();
  for (const address of input.addresses) {
    const byBackend = new Map<string, string>();
    for (const { id } of primary.get(address)!.flatMap((each) => found.get(each) ?? []))
      for (const backend of live.get(id) ?? []) if (!byBackend.has(backend)) byBackend.set(backend, id);
    if (byBackend.size > 0) files.set(address, [...new Set(byBackend.values())]);
  }
  return { files, undecided: rows.length < lookedAt ? [] : input.addresses.filter((address) => !files.has(address)) };
}

/** Those of the files that claim bytes which are live and good, with the backends where they do. */
async function liveFiles(database: Kysely<Schema>, ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const live = new Map<string, string[]>();
  for (let start = 0; start < ids.length; start += 500)
    for (const { file_id, backend_id } of await database
      .selectFrom('storage_locations')
      .select(['file_id', 'backend_id'])
      .where('file_id', 'in', ids.slice(start, start + 500))
      .where('state', 'in', ['stored', 'verified'])
      .execute())
      live.set(file_id, [...(live.get(file_id) ?? []), backend_id]);
  return live;
}

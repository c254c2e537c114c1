import type { Kysely } from '#kysely';
import type { Snapshot } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import { factsText } from '../../kernel/content/files-digest.ts';
import { decodeCbor, encodeCborSequence } from '../../kernel/format/cbor.ts';
import { isJsonObject, type JsonValue } from '../../kernel/format/json.ts';
import type { ManifestFile, StorageReceipt } from '../../kernel/manifest.ts';
import { manifestFile } from './files.ts';
import { distinct } from './sets.ts';

// A package may have 100,000 files, and to read and encode them all takes more than a second. So it is read in
// stretches beside the writers, and what the writers may have changed meanwhile is looked for in the log when it is
// sealed.

/** Files and receipts of one stretch, encoded as they stand in the manifest. */
export interface SealingStretch {
  /** The last event of the log when this was read. */
  readonly sequence: number;
  readonly file_count: number;
  readonly files: Uint8Array;
  readonly receipt_count: number;
  readonly receipts: Uint8Array;
  /** What the hasher of a files digest takes; empty unless asked for. */
  readonly facts: string;
  /** The path of the last file, to continue after it; null when there was none. */
  readonly last: string | null;
  /** `files` and `receipts`: given to the thread that asks. */
  readonly moved: readonly Uint8Array[];
}

/** All stretches of a package. */
export interface PreparedSealing {
  /** The last event before the first stretch was read. */
  readonly sequence: number;
  readonly file_count: number;
  readonly files: readonly Uint8Array[];
  readonly receipt_count: number;
  readonly receipts: readonly Uint8Array[];
  /** Null unless asked for. */
  readonly files_digest: string | null;
}

export interface ReadStretch {
  readonly id: string;
  readonly after: string | null;
  readonly with_facts: boolean;
}

/** What a sealing reads in one step. */
export const filesPerStretch = 1_000;

export async function readStretch({ sql }: Snapshot, input: ReadStretch): Promise<SealingStretch> {
  const { sequence } = await sql.selectFrom('log_head').select('sequence').executeTakeFirstOrThrow();
  let query = sql.selectFrom('artifact_files').selectAll().where('package_id', '=', input.id);
  if (input.after !== null) query = query.where('relative_path', '>', input.after);
  const rows = await query.orderBy('relative_path').limit(filesPerStretch).execute();
  const files = rows.map(manifestFile);
  return { sequence, ...encodeStretch({ files, receipts: await readReceipts(sql, files) }, input.with_facts) };
}

/** What a manifest lists of a package. */
export interface Listed {
  /** By path, bytewise. */
  readonly files: readonly ManifestFile[];
  /** In the order of the files. */
  readonly receipts: readonly StorageReceipt[];
}

export function encodeStretch({ files, receipts }: Listed, withFacts: boolean): Omit<SealingStretch, 'sequence'> {
  const encoded = { files: encodeCborSequence(files), receipts: encodeCborSequence(receipts) };
  return {
    file_count: files.length,
    receipt_count: receipts.length,
    ...encoded,
    moved: Object.values(encoded),
    facts: withFacts ? factsText(files) : '',
    last: files.at(-1)?.relative_path ?? null,
  };
}

/** All that several packages hold, by their ids. */
export async function readListed(database: Kysely<Schema>, ids: readonly string[]): Promise<ReadonlyMap<string, Listed>> {
  if (ids.length === 0) return new Map();
  const [rows, locations] = await Promise.all([
    database.selectFrom('artifact_files').selectAll().where('package_id', 'in', distinct(ids)).orderBy('relative_path').execute(),
    database
      .selectFrom('storage_locations')
      .select(receiptColumns)
      .where('package_id', 'in', distinct(ids))
      .where('state', '<>', 'deleted')
      .orderBy('id')
      .execute(),
  ]);
  const receipts = Map.groupBy(locations, (row) => row.file_id);
  const listed = new Map(ids.map((id) => [id, { files: [] as ManifestFile[], receipts: [] as StorageReceipt[] }]));
  for (const row of rows) {
    const { files, receipts: all } = listed.get(row.package_id)!;
    files.push(manifestFile(row));
    all.push(...(receipts.get(row.id) ?? []));
  }
  return listed;
}

const receiptColumns = ['file_id', 'backend_id', 'object_key', 'content_address', 'stored_at'] as const;

/** In the order of the files. */
async function readReceipts(database: Kysely<Schema>, files: readonly ManifestFile[]): Promise<readonly StorageReceipt[]> {
  const receipts = new Map<string, StorageReceipt[]>(files.map(({ id }) => [id, []]));
  const ids = [...receipts.keys()];
  for (let start = 0; start < ids.length; start += 500)
    for (const row of await database
      .selectFrom('storage_locations')
      .select(receiptColumns)
      .where('file_id', 'in', ids.slice(start, start + 500))
      .where('state', '<>', 'deleted')
      .orderBy('id')
      .execute())
      receipts.get(row.file_id)!.push(row);
  return [...receipts.values()].flat();
}

/** Events that change where the files of a package are. */
const movingEvents = ['v1.storage.location_added', 'v1.storage.location_deleted', 'v1.storage.object_repaired'];
const eventsLookedAt = 5_000;

/**
 * Whether what was prepared of an open package is what it is now: files are only added to it, and every change of a
 * location is in the log.
 */
export async function isCurrent(
  { sql }: Snapshot,
  found: { readonly id: string; readonly file_count: number },
  { sequence, file_count: fileCount, files }: PreparedSealing,
): Promise<boolean> {
  if (found.file_count !== fileCount || isSpent(files)) return false;
  const events = await sql
    .selectFrom('events')
    .select(['event_type', 'payload'])
    .where('sequence', '>', sequence)
    .where('event_type', 'in', movingEvents)
    .limit(eventsLookedAt + 1)
    .execute();
  if (events.length > eventsLookedAt) return false;
  // A repair names its locations only, which may be of any package.
  return events.every(
    ({ event_type, payload }) => event_type !== 'v1.storage.object_repaired' && packageIn(decodeCbor(payload)) !== found.id,
  );
}

/** An attempt that did not come to a commit has taken it. */
function isSpent(pieces: readonly Uint8Array[]): boolean {
  return pieces.some(({ buffer }) => buffer instanceof ArrayBuffer && buffer.detached);
}

function packageIn(payload: JsonValue): JsonValue | undefined {
  return isJsonObject(payload) ? payload.package_id : undefined;
}

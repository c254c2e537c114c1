import type { Kysely, Selectable } from 'kysely';
import type { Snapshot } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import type { PackageStatus, ViewTables } from '../../kernel/view.ts';
import type { File, FileTarget, Location } from '../REGISTRY.ts';

type FileRow = Selectable<ViewTables['artifact_files']>;

export async function getFile(snapshot: Snapshot, input: { readonly id: string }): Promise<File | undefined> {
  const row = await snapshot.sql.selectFrom('artifact_files').selectAll().where('id', '=', input.id).executeTakeFirst();
  return row === undefined ? undefined : (await fileRecords(snapshot.sql, [row]))[0];
}

export async function findFile(
  snapshot: Snapshot,
  input: { readonly packageId: string; readonly relativePath: string },
): Promise<File | undefined> {
  const row = await snapshot.sql
    .selectFrom('artifact_files')
    .selectAll()
    .where('package_id', '=', input.packageId)
    .where('relative_path', '=', input.relativePath)
    .executeTakeFirst();
  return row === undefined ? undefined : (await fileRecords(snapshot.sql, [row]))[0];
}

/** By relative path, bytewise; undefined when there is no package. */
export async function listFiles(
  snapshot: Snapshot,
  input: { readonly packageId: string; readonly limit: number; readonly after: string | null },
): Promise<readonly File[] | undefined> {
  const found = await snapshot.sql.selectFrom('artifact_packages').select('id').where('id', '=', input.packageId).executeTakeFirst();
  if (found === undefined) return undefined;
  let query = snapshot.sql.selectFrom('artifact_files').selectAll().where('package_id', '=', input.packageId);
  if (input.after !== null) query = query.where('relative_path', '>', input.after);
  return fileRecords(snapshot.sql, await query.orderBy('relative_path').limit(input.limit).execute());
}

export async function filesWithDigest(
  snapshot: Snapshot,
  input: { readonly contentAddress: string; readonly limit: number; readonly after: number | null },
): Promise<readonly { readonly sequence: number; readonly record: File }[]> {
  const addresses = await addressesOf(snapshot.sql, input.contentAddress);
  let query = snapshot.sql.selectFrom('artifact_files').selectAll().where('content_address', 'in', addresses);
  if (input.after !== null) query = query.where('created_sequence', '>', input.after);
  const rows = await query.orderBy('created_sequence').limit(input.limit).execute();
  const records = await fileRecords(snapshot.sql, rows);
  return records.map((record, index) => ({ sequence: rows[index]!.created_sequence, record }));
}

/** A file to read, with what its package is, and its live locations, the best first. */
export interface LocatedFile {
  readonly file: File;
  readonly packageStatus: PackageStatus;
  readonly locations: readonly {
    readonly backendId: string;
    readonly objectKey: string;
    readonly generation: number;
    readonly failed: boolean;
  }[];
  readonly blockDigests: Uint8Array | null;
}

export async function locateFile(snapshot: Snapshot, target: FileTarget): Promise<LocatedFile | undefined> {
  const row = await targetRow(snapshot, target);
  if (row === undefined) return undefined;
  const [file, owner, located, blocks] = await Promise.all([
    fileRecords(snapshot.sql, [row]),
    snapshot.sql.selectFrom('artifact_packages').select('status').where('id', '=', row.package_id).executeTakeFirstOrThrow(),
    snapshot.sql
      .selectFrom('storage_locations')
      .select(['backend_id', 'object_key', 'generation', 'state'])
      .where('file_id', '=', row.id)
      .where('state', '<>', 'deleted')
      .orderBy('id')
      .execute(),
    row.size_bytes > 1_048_576
      ? snapshot.sql.selectFrom('block_digests').select('digests').where('content_address', '=', row.content_address).executeTakeFirst()
      : undefined,
  ]);
  return {
    file: file[0]!,
    packageStatus: owner.status,
    locations: located
      .map((location) => ({
        backendId: location.backend_id,
        objectKey: location.object_key,
        generation: location.generation,
        failed: location.state === 'failed',
      }))
      .sort((left, right) => Number(left.failed) - Number(right.failed)),
    blockDigests: blocks?.digests ?? null,
  };
}

async function targetRow(snapshot: Snapshot, target: FileTarget): Promise<FileRow | undefined> {
  const files = snapshot.sql.selectFrom('artifact_files').selectAll();
  if ('file_id' in target) return await files.where('id', '=', target.file_id).executeTakeFirst();
  if ('package_id' in target)
    return await files.where('package_id', '=', target.package_id).where('relative_path', '=', target.relative_path).executeTakeFirst();
  const addresses = await addressesOf(snapshot.sql, target.content_address);
  const live = await snapshot.sql
    .selectFrom('storage_locations')
    .select('file_id')
    .where('content_address', 'in', addresses)
    .where('state', 'in', ['stored', 'verified'])
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  if (live !== undefined) return await files.where('id', '=', live.file_id).executeTakeFirst();
  return await files.where('content_address', 'in', addresses).orderBy('created_sequence', 'desc').limit(1).executeTakeFirst();
}

/** The content addresses that a digest of either kind stands for. */
export async function addressesOf(database: Kysely<Schema>, contentAddress: string): Promise<string[]> {
  if (!contentAddress.startsWith('sha256:')) return [contentAddress];
  const rows = await database
    .selectFrom('storage_objects')
    .select('content_address')
    .distinct()
    .where('digest_sha256', '=', contentAddress.slice('sha256:'.length))
    .execute();
  return [...new Set([contentAddress, ...rows.map((row) => row.content_address)])];
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
      list.push({
        id: location.id,
        backend_id: location.backend_id,
        object_key: location.object_key,
        state: location.state,
        stored_at: location.stored_at,
        verified_at: location.verified_at,
        retrieval_tier: location.retrieval_tier,
        restore_status: location.restore_status,
      });
      locations.set(location.file_id, list);
    }
  }
  return rows.map((row) => ({
    id: row.id,
    package_id: row.package_id,
    relative_path: row.relative_path,
    media_type: row.media_type,
    size_bytes: row.size_bytes,
    digest_algorithm: row.digest_algorithm,
    digest_primary: row.digest_primary,
    digest_sha256: row.digest_sha256,
    content_address: row.content_address,
    annotations: JSON.parse(row.annotations) as Record<string, string>,
    created_at: row.created_at,
    locations: locations.get(row.id) ?? [],
  }));
}

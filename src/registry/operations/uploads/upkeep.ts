import type { Snapshot, Transaction } from '../../../database/DATABASE.ts';
import type { Timestamp } from '../../../kernel/time.ts';
import { fromStored, hasExpired, isWritten, saveUpload, type UploadDetail } from './rows.ts';
import { ended } from './uploads.ts';

/** An upload that takes no more bytes, with those that it had. */
export interface EndedUpload {
  readonly id: string;
  readonly backend_id: string;
  readonly segments: UploadDetail['segments'];
}

export interface ExpireUploads {
  /** RFC 3339: those whose last byte came then or earlier are looked at. */
  readonly before: string;
  /** The last one that was looked at. */
  readonly after: string | null;
  readonly limit: number;
}

/**
 * Ends open uploads that have expired, unless somebody is at work on them, and forgets those that ended long ago.
 * `last` is null when none is left to look at.
 */
export async function expireUploads(
  transaction: Transaction,
  input: ExpireUploads,
): Promise<{ readonly expired: readonly EndedUpload[]; readonly last: string | null }> {
  const { now, sql } = transaction;
  let query = sql.selectFrom('uploads').selectAll().where('updated_at', '<=', input.before);
  if (input.after !== null) query = query.where('id', '>', input.after);
  const rows = (await query.orderBy('id').limit(input.limit).execute()).map(fromStored);
  const expired: EndedUpload[] = [];
  const old: string[] = [];
  for (const row of rows) {
    if (row.state !== 'open') {
      if (row.state !== 'finished' || row.detail.expires_at <= now) old.push(row.id);
      continue;
    }
    if (!hasExpired(row, now) || isWritten(row, now)) continue;
    await saveUpload(sql, ended(row, 'expired', now));
    expired.push({ id: row.id, backend_id: row.backend_id, segments: row.detail.segments });
  }
  if (old.length > 0) await sql.deleteFrom('uploads').where('id', 'in', old).execute();
  return { expired, last: rows.length < input.limit ? null : rows.at(-1)!.id };
}

/** How many uploads `expireUploads` would end, with how many segments. */
export async function planExpiry(
  { sql }: Snapshot,
  { now, before }: { readonly now: Timestamp; readonly before: string },
): Promise<{ readonly uploads: number; readonly segments: number }> {
  const stored = await sql.selectFrom('uploads').selectAll().where('updated_at', '<=', before).where('state', '=', 'open').execute();
  const expiring = stored.map(fromStored).filter((row) => hasExpired(row, now) && !isWritten(row, now));
  return { uploads: expiring.length, segments: expiring.reduce((sum, { detail }) => sum + detail.segments.length, 0) };
}

/** Of these uploads those whose bytes may be needed. */
export async function openAmong(snapshot: Snapshot, input: { readonly ids: readonly string[] }): Promise<readonly string[]> {
  if (input.ids.length === 0) return [];
  const rows = await snapshot.sql.selectFrom('uploads').select('id').where('id', 'in', input.ids).where('state', '=', 'open').execute();
  return rows.map(({ id }) => id);
}

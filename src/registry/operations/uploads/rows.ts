import type { Kysely } from '#kysely';
import type { OperationalTables, Schema } from '../../../database/schema.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { parseTimestamp, type Timestamp } from '../../../kernel/time.ts';
import type { Upload } from '../../REGISTRY.ts';

/**
 * `open` takes bytes; the others take none. `abandoned` and `expired` have lost theirs, and say for a while what became
 * of them.
 */
export type RowState = 'open' | 'finished' | 'abandoned' | 'expired';

/** A row of `uploads`, as this code sees it; what has no column of its own is in `detail`. */
export interface UploadRow {
  readonly id: string;
  readonly created_at: string;
  readonly created_by: string;
  /** Of its last byte; when it is not open any more, since when. */
  readonly updated_at: string;
  readonly backend_id: string;
  readonly expected_size_bytes: number | null;
  readonly media_type: string | null;
  readonly offset_bytes: number;
  readonly state: RowState;
  readonly detail: UploadDetail;
}

export interface UploadDetail {
  readonly package_id: string | null;
  readonly relative_path: string | null;
  readonly annotations: Readonly<Record<string, string>>;
  /** Lowercase hex by algorithm. */
  readonly digests: Readonly<Record<string, string>>;
  readonly expires_at: string;
  readonly notes: Readonly<Record<string, string>>;
  /** Counts the writers. What one of them says holds only while it is the last. */
  readonly epoch: number;
  /** Who writes now, or was stopped while it did, and when it last said so. */
  readonly writer: { readonly holder: string; readonly seen_at: string } | null;
  /** Whether the last segment may be written to: its writer ended, and left nothing that it did not say. */
  readonly grows: boolean;
  readonly segments: readonly { readonly name: string; readonly bytes: number }[];
  readonly answer: { readonly file_id: string; readonly created: boolean } | null;
  /** Whose object it brings, and no file; absent for all others. */
  readonly write_session?: { readonly id: string; readonly name: string };
}

type StoredRow = OperationalTables['uploads'];

/**
 * A writer that said nothing for so long was killed, or hears nothing from its client. It is less than the 9 seconds
 * for which tus clients ask again.
 */
export const writerMilliseconds = 6_000;

export function toStored(row: UploadRow): StoredRow {
  return { ...row, draft_id: row.id, detail: JSON.stringify(row.detail) };
}

export function fromStored({ draft_id: _, ...stored }: StoredRow): UploadRow {
  const detail: UploadDetail = JSON.parse(stored.detail);
  return { ...stored, state: stored.state as RowState, detail };
}

export async function readUpload(database: Kysely<Schema>, id: string): Promise<UploadRow | undefined> {
  const stored = await database.selectFrom('uploads').selectAll().where('id', '=', id).executeTakeFirst();
  return stored === undefined ? undefined : fromStored(stored);
}

export async function saveUpload(database: Kysely<Schema>, row: UploadRow): Promise<void> {
  const { id, ...columns } = toStored(row);
  await database.updateTable('uploads').set(columns).where('id', '=', id).execute();
}

export function hasExpired({ state, detail }: UploadRow, now: Timestamp): boolean {
  return state === 'open' && detail.expires_at <= now;
}

/** Whether a writer is at work, as far as can be known. */
export function isWritten({ detail: { writer } }: UploadRow, now: Timestamp): boolean {
  return writer !== null && parseTimestamp(now) - parseTimestamp(writer.seen_at) < writerMilliseconds;
}

/** Whether it has bytes, or a file. */
export function isThere(row: UploadRow, now: Timestamp): boolean {
  return row.state === 'finished' || (row.state === 'open' && !hasExpired(row, now));
}

/** Of one that is there. */
export function uploadRecord(row: UploadRow): Upload {
  const { detail } = row;
  return {
    id: row.id,
    state: row.state === 'finished' ? 'finished' : 'open',
    offset_bytes: row.offset_bytes,
    size_bytes: row.expected_size_bytes,
    package_id: detail.package_id,
    relative_path: detail.relative_path,
    media_type: row.media_type,
    created_at: row.created_at,
    created_by: row.created_by,
    updated_at: row.updated_at,
    expires_at: detail.expires_at,
    backend_id: row.backend_id,
    file_id: detail.answer?.file_id ?? null,
    notes: detail.notes,
  };
}

/** The upload, for who may see it: `owner` is the actor, or null for who may see all. */
export function requireUpload(row: UploadRow | undefined, id: string, owner: string | null, now: Timestamp): UploadRow {
  if (row === undefined || (owner !== null && row.created_by !== owner))
    throw new ArtifactstoreError('upload_not_found', `There is no upload ${id}; begin it again.`, { field: 'upload_id' });
  const state = hasExpired(row, now) ? 'expired' : row.state;
  if (state === 'expired')
    throw new ArtifactstoreError('upload_not_found', `The upload ${id} has expired, at ${row.detail.expires_at}; begin it again.`, {
      field: 'upload_id',
      info: { state },
    });
  if (state === 'abandoned')
    throw new ArtifactstoreError('upload_not_found', `The upload ${id} was abandoned; begin it again.`, {
      field: 'upload_id',
      info: { state },
    });
  return row;
}

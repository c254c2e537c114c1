import type { Snapshot, Transaction } from '../../../database/DATABASE.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { secondsAfter, type Timestamp } from '../../../kernel/time.ts';
import { beyond } from '../../input.ts';
import { limits } from '../../limits.ts';
import type { WriterPolicy } from '../../REGISTRY.ts';
import { openBytes, tooManyBytes } from './open-uploads.ts';
import { isWritten, readUpload, requireUpload, saveUpload, type UploadDetail, type UploadRow } from './rows.ts';

export interface TakeUpload {
  readonly id: string;
  readonly owner: string | null;
  /** The process. */
  readonly holder: string;
  /** Where its bytes begin; null for who adds none. */
  readonly offset: number | null;
  readonly size_bytes: number | null;
  /** How many bytes are announced. */
  readonly body_bytes: number | null;
  readonly policy: WriterPolicy;
  /** Of which nobody may have taken it since; as it is where absent. */
  readonly epoch?: number;
}

export interface TakenUpload {
  /** Whether its length was known before. */
  readonly sized: boolean;
  /** As it is taken: with its new epoch, and whether the last segment could be written to before. */
  readonly row: UploadRow;
  readonly grows: boolean;
}

/** Makes the caller its one writer. Whoever was it before is told so when it next says something. */
export async function takeUpload(transaction: Transaction, input: TakeUpload): Promise<TakenUpload> {
  const { now } = transaction;
  const row = requireUpload(await readUpload(transaction.sql, input.id), input.id, input.owner, now);
  if (row.state === 'finished') {
    if (input.offset === null) return { row, grows: false, sized: true };
    throw new ArtifactstoreError('upload_finished', `The upload ${row.id} is finished, and takes no more bytes.`, {
      info: { file_id: row.detail.answer?.file_id, offset_bytes: row.offset_bytes },
    });
  }
  if (input.epoch !== undefined && input.epoch !== row.detail.epoch) throw superseded(row.id);
  if (input.policy === 'locked' && row.detail.writer?.holder !== input.holder && isWritten(row, now)) throw locked(row.id);
  if (input.offset !== null && input.offset !== row.offset_bytes)
    throw new ArtifactstoreError('upload_offset_mismatch', `The upload ${row.id} is at ${row.offset_bytes}, not at ${input.offset}.`, {
      field: 'offset',
      info: { offset_bytes: row.offset_bytes },
    });
  if (input.offset !== null && row.detail.segments.length >= limits.uploadSegments) throw tooManySegments(row.id);
  // Whoever makes the file fixes its length: nobody adds to what may be a file by then.
  const size = input.size_bytes ?? row.expected_size_bytes ?? (input.offset === null ? row.offset_bytes : null);
  requireSize(row, size, input);
  const others = await openBytes(transaction, row.created_by, row.id);
  const bytes = Math.max(row.offset_bytes, size ?? 0);
  if (input.offset !== null && others + bytes > limits.openUploadBytes) throw tooManyBytes(row.created_by, bytes);
  const taken: UploadRow = {
    ...row,
    expected_size_bytes: size,
    detail: { ...row.detail, epoch: row.detail.epoch + 1, writer: { holder: input.holder, seen_at: now }, grows: false },
  };
  await saveUpload(transaction.sql, taken);
  return { row: taken, grows: row.detail.grows, sized: row.expected_size_bytes !== null };
}

function requireSize(row: UploadRow, size: number | null, input: TakeUpload): void {
  const { expected_size_bytes: known, offset_bytes } = row;
  const wrong = (said: string) =>
    new ArtifactstoreError('upload_length_mismatch', `The upload ${row.id} ${said}.`, {
      info: { size_bytes: known, offset_bytes },
    });
  if (known !== null && size !== known) throw wrong(`was declared with ${known} bytes, and not ${size}`);
  if (size === null) return;
  if (size < offset_bytes) throw wrong(`has ${offset_bytes} bytes already, and cannot end at ${size}`);
  if (input.body_bytes !== null && offset_bytes + input.body_bytes > size)
    throw wrong(`ends at ${size}, and ${input.body_bytes} bytes from ${offset_bytes} on lead beyond it`);
}

/** A writer ends. */
export interface Release {
  /** Whether the last segment may be written to by the next one. */
  readonly grows: boolean;
  /**
   * `known`: what came is the whole file. `unknown`: nothing is made of it yet, and more may come. As it was where
   * absent.
   */
  readonly size?: 'known' | 'unknown';
}

export interface RecordProgress {
  readonly id: string;
  readonly epoch: number;
  /** All that is durable; null where nothing came. */
  readonly segments: UploadDetail['segments'] | null;
  readonly lifetime_seconds: number;
  readonly release?: Release;
}

/**
 * Null for a writer that is not the last one any more: nothing of what it says counts. Errors: `upload_not_found` where
 * the upload was abandoned or ended as expired; one that has expired and that nobody has ended takes what comes.
 */
export async function recordProgress(
  transaction: Transaction,
  input: RecordProgress,
): Promise<{ readonly row: UploadRow; readonly room_bytes: number } | null> {
  const { now } = transaction;
  const found = await readUpload(transaction.sql, input.id);
  const row = found?.state === 'open' ? found : requireUpload(found, input.id, null, now);
  if (row.state !== 'open' || row.detail.epoch !== input.epoch) return null;
  const { release } = input;
  const segments = input.segments ?? row.detail.segments;
  const offset_bytes = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  const came = offset_bytes > row.offset_bytes;
  const next: UploadRow = {
    ...row,
    offset_bytes,
    updated_at: came ? now : row.updated_at,
    expected_size_bytes: sizeAfter(row, offset_bytes, release),
    detail: {
      ...row.detail,
      segments,
      expires_at: came ? secondsAfter(now, input.lifetime_seconds) : row.detail.expires_at,
      writer: release === undefined && row.detail.writer !== null ? { ...row.detail.writer, seen_at: now } : null,
      // Said late by a writer that has ended, that it is at work changes nothing; while it is, this is false.
      grows: release?.grows ?? row.detail.grows,
    },
  };
  await saveUpload(transaction.sql, next);
  const others = came ? await openBytes(transaction, row.created_by, row.id) : 0;
  return { row: next, room_bytes: limits.openUploadBytes - others - offset_bytes };
}

function sizeAfter({ expected_size_bytes: known }: UploadRow, offset: number, release: Release | undefined): number | null {
  if (release?.size === 'unknown') return null;
  return release?.size === 'known' ? (known ?? offset) : known;
}

/**
 * Ends whoever writes: what it has not said by now does not count. Who brings a short file whole says nothing before
 * that, so that nobody is seen to write.
 */
export async function fenceUpload(transaction: Transaction, input: { readonly id: string }): Promise<void> {
  const row = await readUpload(transaction.sql, input.id);
  if (row === undefined || row.state !== 'open') return;
  const { detail } = row;
  await saveUpload(transaction.sql, {
    ...row,
    detail: { ...detail, epoch: detail.epoch + 1, writer: null, grows: detail.grows && detail.writer === null },
  });
}

/** Answers what it was; its bytes are then nobody's. */
export async function abandonUpload(
  transaction: Transaction,
  input: { readonly id: string; readonly owner: string | null },
): Promise<UploadRow> {
  const { now } = transaction;
  const found = await readUpload(transaction.sql, input.id);
  if (found?.state === 'abandoned' && (input.owner === null || found.created_by === input.owner)) return found;
  const row = requireUpload(found, input.id, input.owner, now);
  if (row.state === 'finished')
    throw new ArtifactstoreError('upload_finished', `The upload ${row.id} is finished: what became a file stays.`, {
      info: { file_id: row.detail.answer?.file_id },
    });
  await saveUpload(transaction.sql, ended(row, 'abandoned', now));
  return row;
}

/** Without its bytes, and with an epoch that no writer has. */
export function ended(row: UploadRow, state: 'abandoned' | 'expired', now: Timestamp): UploadRow {
  const { detail } = row;
  return {
    ...row,
    state,
    updated_at: now,
    detail: { ...detail, epoch: detail.epoch + 1, writer: null, grows: false, segments: [] },
  };
}

export async function getUpload(snapshot: Snapshot, input: { readonly id: string }): Promise<UploadRow | undefined> {
  return await readUpload(snapshot.sql, input.id);
}

export function tooManySegments(id: string): ArtifactstoreError {
  return new ArtifactstoreError(
    'too_many_uploads',
    `The upload ${id} is in ${limits.uploadSegments} pieces, which is as many as one may have; begin it again.`,
    beyond('upload_segments'),
  );
}

export function superseded(id: string): ArtifactstoreError {
  return new ArtifactstoreError(
    'upload_superseded',
    `Somebody else continued or ended the upload ${id}; ask where it is, and continue from there.`,
  );
}

export function locked(id: string): ArtifactstoreError {
  return new ArtifactstoreError('upload_locked', `Somebody is adding to the upload ${id}; wait until that has ended.`);
}

import type { Kysely } from '#kysely';
import type { Transaction } from '../../../database/DATABASE.ts';
import type { Schema } from '../../../database/schema.ts';
import { secondsAfter, type Timestamp } from '../../../kernel/time.ts';
import type { Created, File } from '../../REGISTRY.ts';
import { distinct } from '../sets.ts';
import { type BeginUpload, begin } from './open-uploads.ts';
import { fromStored, requireUpload, toStored, type UploadRow } from './rows.ts';
import { superseded } from './uploads.ts';

// Uploads that end in the transaction that makes their file.

/** One that has no byte yet, or that is begun with all of them; or one whose bytes are in segments. */
export type EndingUpload = SeenUpload | { readonly begins: BeginUpload } | { readonly stored: StoredUpload };

/** An upload that has no byte yet, as its writer has seen it. */
interface SeenUpload {
  readonly id: string;
  /** Whoever takes or ends the upload raises it: this writer is then too late. */
  readonly epoch: number;
  readonly size_bytes: number;
  readonly lifetime_seconds: number;
}

/**
 * An upload whose bytes were made durable before, and then the draft of this file. The file is there, so it is
 * remembered also where somebody else has taken or ended the upload since.
 */
export interface StoredUpload {
  readonly id: string;
  readonly lifetime_seconds: number;
}

/** What is decided about uploads of a set; nothing is written before `save`. */
export interface EndingUploads {
  /** Errors: `upload_not_found`, `upload_superseded`, where it is not what its writer has seen. */
  require(upload: EndingUpload, now: Timestamp): void;
  /**
   * It has become this file. Where that was remembered before, it stays as it was; undefined where its row is gone.
   */
  end(transaction: Transaction, upload: EndingUpload, file: Created<File>): UploadRow | undefined;
  save(database: Kysely<Schema>): Promise<void>;
}

export async function readEndingUploads(database: Kysely<Schema>, uploads: readonly EndingUpload[]): Promise<EndingUploads> {
  const ids = distinct(uploads.flatMap((upload) => idOf(upload) ?? []));
  const stored = ids.length === 0 ? [] : await database.selectFrom('uploads').selectAll().where('id', 'in', ids).execute();
  const rows = new Map(stored.map((row) => [row.id, fromStored(row)]));
  const ended: UploadRow[] = [];

  return {
    require(upload, now) {
      if ('begins' in upload || 'stored' in upload) return;
      const { id, epoch, size_bytes } = upload;
      const row = requireUpload(rows.get(id), id, null, now);
      const { detail, state, offset_bytes, expected_size_bytes } = row;
      const isSeen = state === 'open' && detail.epoch === epoch && offset_bytes === 0 && expected_size_bytes === size_bytes;
      if (!isSeen) throw superseded(id);
    },
    end(transaction, upload, { record, created }) {
      const row = 'begins' in upload ? begin(transaction, upload.begins) : rows.get(idOf(upload)!);
      if (row === undefined || row.state === 'finished') return row;
      const { now } = transaction;
      const { detail } = row;
      const next: UploadRow = {
        ...row,
        state: 'finished',
        updated_at: now,
        expected_size_bytes: record.size_bytes,
        offset_bytes: record.size_bytes,
        detail: {
          ...detail,
          package_id: record.package_id,
          relative_path: record.relative_path,
          answer: { file_id: record.id, created },
          epoch: detail.epoch + 1,
          ...{ segments: [], writer: null, grows: false },
          expires_at: secondsAfter(now, lifetimeOf(upload)),
        },
      };
      rows.set(next.id, next);
      ended.push(next);
      return next;
    },
    async save(sql) {
      if (ended.length === 0) return;
      await sql
        .insertInto('uploads')
        .values(ended.map(toStored))
        .onConflict((conflict) =>
          conflict.column('id').doUpdateSet(({ ref }) => ({
            state: ref('excluded.state'),
            updated_at: ref('excluded.updated_at'),
            expected_size_bytes: ref('excluded.expected_size_bytes'),
            offset_bytes: ref('excluded.offset_bytes'),
            detail: ref('excluded.detail'),
          })),
        )
        .execute();
    },
  };
}

/** Undefined for one that is begun. */
function idOf(upload: EndingUpload): string | undefined {
  if ('begins' in upload) return undefined;
  return 'stored' in upload ? upload.stored.id : upload.id;
}

function lifetimeOf(upload: EndingUpload): number {
  if ('begins' in upload) return upload.begins.lifetime_seconds;
  return 'stored' in upload ? upload.stored.lifetime_seconds : upload.lifetime_seconds;
}

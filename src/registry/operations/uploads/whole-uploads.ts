import type { Kysely } from '#kysely';
import type { Transaction } from '../../../database/DATABASE.ts';
import type { Schema } from '../../../database/schema.ts';
import { secondsAfter, type Timestamp } from '../../../kernel/time.ts';
import type { Created, File } from '../../REGISTRY.ts';
import { distinct } from '../sets.ts';
import { type BeginUpload, begin } from './open-uploads.ts';
import { fromStored, requireUpload, toStored, type UploadRow } from './rows.ts';
import { superseded } from './uploads.ts';

// Uploads whose bytes come whole with the transaction that makes their file: none of them is ever in a segment.

/** One that has no byte yet, or that is begun with all of them. */
export type WholeUpload = SeenUpload | { readonly begins: BeginUpload };

/** An upload that has no byte yet, as its writer has seen it. */
interface SeenUpload {
  readonly id: string;
  /** Whoever takes or ends the upload raises it: this writer is then too late. */
  readonly epoch: number;
  readonly size_bytes: number;
  readonly lifetime_seconds: number;
}

/** What is decided about uploads of a set; nothing is written before `save`. */
export interface WholeUploads {
  /** Errors: `upload_not_found`, `upload_superseded`, where it is not what its writer has seen. */
  require(upload: WholeUpload, now: Timestamp): void;
  /** It has become this file. */
  end(transaction: Transaction, upload: WholeUpload, file: Created<File>): UploadRow;
  save(database: Kysely<Schema>): Promise<void>;
}

export async function readWholeUploads(database: Kysely<Schema>, uploads: readonly WholeUpload[]): Promise<WholeUploads> {
  const ids = distinct(uploads.flatMap((upload) => ('begins' in upload ? [] : [upload.id])));
  const stored = ids.length === 0 ? [] : await database.selectFrom('uploads').selectAll().where('id', 'in', ids).execute();
  const rows = new Map(stored.map((row) => [row.id, fromStored(row)]));
  const ended: UploadRow[] = [];

  return {
    require(upload, now) {
      if ('begins' in upload) return;
      const { id, epoch, size_bytes } = upload;
      const row = requireUpload(rows.get(id), id, null, now);
      const { detail, state, offset_bytes, expected_size_bytes } = row;
      const isSeen = state === 'open' && detail.epoch === epoch && offset_bytes === 0 && expected_size_bytes === size_bytes;
      if (!isSeen) throw superseded(id);
    },
    end(transaction, upload, { record, created }) {
      const row = 'begins' in upload ? begin(transaction, upload.begins) : rows.get(upload.id)!;
      const { lifetime_seconds } = 'begins' in upload ? upload.begins : upload;
      const { now } = transaction;
      const { detail } = row;
      const next: UploadRow = {
        ...row,
        state: 'finished',
        updated_at: now,
        offset_bytes: record.size_bytes,
        detail: {
          ...detail,
          answer: { file_id: record.id, created },
          epoch: detail.epoch + 1,
          ...{ segments: [], writer: null, grows: false },
          expires_at: secondsAfter(now, lifetime_seconds),
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
            offset_bytes: ref('excluded.offset_bytes'),
            detail: ref('excluded.detail'),
          })),
        )
        .execute();
    },
  };
}

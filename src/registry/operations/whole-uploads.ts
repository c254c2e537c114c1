import type { Kysely } from '#kysely';
import type { Schema } from '../../database/schema.ts';
import { secondsAfter, type Timestamp } from '../../kernel/time.ts';
import type { Created, File } from '../REGISTRY.ts';
import { distinct } from './sets.ts';
import { fromStored, requireUpload, toStored, type UploadRow } from './upload-rows.ts';
import { superseded } from './uploads.ts';

// Uploads whose bytes come whole with the transaction that makes their file: none of them is ever in a segment.

/** An upload that has no byte yet, as its writer has seen it. */
export interface WholeUpload {
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
  end(upload: WholeUpload, file: Created<File>, now: Timestamp): UploadRow;
  save(database: Kysely<Schema>): Promise<void>;
}

export async function readWholeUploads(database: Kysely<Schema>, uploads: readonly WholeUpload[]): Promise<WholeUploads> {
  const ids = distinct(uploads.map(({ id }) => id));
  const stored = ids.length === 0 ? [] : await database.selectFrom('uploads').selectAll().where('id', 'in', ids).execute();
  const rows = new Map(stored.map((row) => [row.id, fromStored(row)]));
  const ended: UploadRow[] = [];

  return {
    require({ id, epoch, size_bytes }, now) {
      const row = requireUpload(rows.get(id), id, null, now);
      const { detail, state, offset_bytes, expected_size_bytes } = row;
      const isSeen = state === 'open' && detail.epoch === epoch && offset_bytes === 0 && expected_size_bytes === size_bytes;
      if (!isSeen) throw superseded(id);
    },
    end({ id, size_bytes, lifetime_seconds }, { record, created }, now) {
      const row = rows.get(id)!;
      const { detail } = row;
      const next: UploadRow = {
        ...row,
        state: 'finished',
        updated_at: now,
        offset_bytes: size_bytes,
        detail: {
          ...detail,
          answer: { file_id: record.id, created },
          epoch: detail.epoch + 1,
          ...{ segments: [], writer: null, grows: false },
          expires_at: secondsAfter(now, lifetime_seconds),
        },
      };
      rows.set(id, next);
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

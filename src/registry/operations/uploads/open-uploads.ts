import { type Kysely, type RawBuilder, type SelectQueryBuilder, sql } from '#kysely';
import type { Snapshot, Transaction } from '../../../database/DATABASE.ts';
import type { Schema } from '../../../database/schema.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { secondsAfter } from '../../../kernel/time.ts';
import { beyond } from '../../input.ts';
import { limits } from '../../limits.ts';
import { decideEach, distinct, inSets, type SetOperation, weightOf } from '../sets.ts';
import { toStored, type UploadDetail, type UploadRow } from './rows.ts';

export interface BeginUpload {
  readonly actor: string;
  readonly backend_id: string;
  readonly size_bytes: number | null;
  readonly media_type: string | null;
  readonly detail: Pick<UploadDetail, 'package_id' | 'relative_path' | 'annotations' | 'digests' | 'notes' | 'write_session'>;
  readonly lifetime_seconds: number;
}

/** Opens an upload where its actor may have one more. */
export const beginUpload: SetOperation<BeginUpload, UploadRow> = inSets({
  readsFirst: true,
  weigh: ({ detail }) => 1 + weightOf(JSON.stringify(detail).length),
  async run(transaction, inputs) {
    const open = await openOfEach(
      transaction,
      inputs.map(({ actor }) => actor),
    );
    const begun: UploadRow[] = [];
    const outcomes = await decideEach(transaction, inputs, (own, input) => {
      const { actor } = input;
      const { uploads, bytes } = open.get(actor) ?? nothing;
      const size = input.size_bytes ?? 0;
      if (size > limits.openUploadBytes) throw tooManyBytes(actor, size);
      if (uploads >= limits.openUploads)
        throw new ArtifactstoreError(
          'too_many_uploads',
          `${actor} has ${uploads} open uploads, which is as many as one may have; finish or abandon some.`,
          beyond('open_uploads'),
        );
      const after = bytes + size;
      if (after > limits.openUploadBytes) throw tooManyBytes(actor, size);
      open.set(actor, { uploads: uploads + 1, bytes: after });
      const row = begin(own, input);
      begun.push(row);
      return row;
    });
    if (begun.length > 0) await transaction.sql.insertInto('uploads').values(begun.map(toStored)).execute();
    return outcomes;
  },
});

export function begin({ newId, now }: Transaction, input: BeginUpload): UploadRow {
  return {
    id: newId(),
    created_at: now,
    created_by: input.actor,
    updated_at: now,
    backend_id: input.backend_id,
    expected_size_bytes: input.size_bytes,
    media_type: input.media_type,
    offset_bytes: 0,
    state: 'open',
    detail: {
      ...input.detail,
      expires_at: secondsAfter(now, input.lifetime_seconds),
      epoch: 0,
      writer: null,
      grows: false,
      segments: [],
      answer: null,
    },
  };
}

interface Open {
  readonly uploads: number;
  readonly bytes: number;
}

const nothing: Open = { uploads: 0, bytes: 0 };

type Found<Row> = SelectQueryBuilder<Schema, 'uploads', Row>;

/** What an actor's open uploads have or have announced, without one of them. */
export async function openBytes({ sql: database }: Snapshot, actor: string, except: string): Promise<number> {
  const { bytes } = await openOfOne(database, actor, except).executeTakeFirstOrThrow();
  return Number(bytes ?? 0);
}

async function openOfEach({ sql: database }: Snapshot, actors: readonly string[]): Promise<Map<string, Open>> {
  const rows = await openOf(database, distinct(actors)).execute();
  return new Map(rows.map(({ created_by, uploads, bytes }) => [created_by, { uploads: Number(uploads), bytes: Number(bytes ?? 0) }]));
}

export function openOfOne(database: Kysely<Schema>, actor: string, except: string): Found<{ bytes: number | null }> {
  return database
    .selectFrom('uploads')
    .select(({ fn }) => fn.sum<number | null>(fn.coalesce('expected_size_bytes', 'offset_bytes')).as('bytes'))
    .where('created_by', '=', actor)
    .where(isOpen)
    .where('id', '<>', except);
}

export function openOf(
  database: Kysely<Schema>,
  actors: readonly string[],
): Found<{ created_by: string; uploads: number; bytes: number | null }> {
  return database
    .selectFrom('uploads')
    .select(({ fn }) => [
      'created_by',
      fn.countAll<number>().as('uploads'),
      fn.sum<number | null>(fn.coalesce('expected_size_bytes', 'offset_bytes')).as('bytes'),
    ])
    .where('created_by', 'in', actors)
    .where(isOpen)
    .groupBy('created_by');
}

/** As the index on these has it, so that it is used. */
export const isOpen: RawBuilder<boolean> = sql<boolean>`state = 'open'`;

/** `bytes` are those of the upload that is refused: where they alone are too many, to end others does not help. */
export function tooManyBytes(actor: string, bytes: number): ArtifactstoreError {
  const most = limits.openUploadBytes;
  return new ArtifactstoreError(
    'too_many_uploads',
    bytes > most
      ? `An upload can have at most ${most} bytes, and this one would have ${bytes}; split the file, and upload its parts as files.`
      : `The open uploads of ${actor} would have or announce more than ${most} bytes with this one; finish or abandon some.`,
    beyond('open_upload_bytes'),
  );
}

import { type Kysely, type SelectQueryBuilder, sql } from '#kysely';
import type { Snapshot } from '../../../database/DATABASE.ts';
import type { Schema } from '../../../database/schema.ts';
import type { Timestamp } from '../../../kernel/time.ts';
import type { Upload } from '../../REGISTRY.ts';
import { fitting } from '../page.ts';
import { isOpen } from './open-uploads.ts';
import { fromStored, hasExpired, uploadRecord } from './rows.ts';

export interface ListUploads {
  /** Whose; null for everybody's. */
  readonly owner: string | null;
  /** Those that have expired by then are left out; null for none of them. */
  readonly now: Timestamp | null;
  readonly after: string | null;
  readonly limit: number;
}

export interface ListedUploads {
  readonly items: readonly Upload[];
  /** The last one that was looked at, where the list continues after it; null when that was all. */
  readonly reached: string | null;
}

/** How often rows are read for one page: of those that have expired there may be many. */
const mostReads = 20;

/** Open ones, in the order in which they were begun. */
export async function listUploads({ sql: database }: Snapshot, input: ListUploads): Promise<ListedUploads> {
  const { owner, now, limit } = input;
  const items: Upload[] = [];
  let { after } = input;
  let bytes = 0;
  for (let read = 0; read < mostReads && items.length < limit; read++) {
    const sizes = await listedUploads(database, owner, after)
      .select(['id', sql<number>`octet_length(detail)`.as('size')])
      .limit(limit - items.length + 1)
      .execute();
    const page = fitting(sizes, limit - items.length, bytes);
    if (page.count === 0) return { items, reached: page.more ? after : null };
    const ids = sizes.slice(0, page.count).map(({ id }) => id);
    const rows = await database.selectFrom('uploads').selectAll().where('id', 'in', ids).orderBy('id').execute();
    items.push(
      ...rows
        .map(fromStored)
        .filter((row) => now === null || !hasExpired(row, now))
        .map(uploadRecord),
    );
    if (!page.more) return { items, reached: null };
    after = ids.at(-1)!;
    bytes = page.bytes;
  }
  return { items, reached: after };
}

/** One actor has few: they are found by the index of what each has, and put in order. */
export function listedUploads(
  database: Kysely<Schema>,
  owner: string | null,
  after: string | null,
): SelectQueryBuilder<Schema, 'uploads', object> {
  return database
    .selectFrom('uploads')
    .where(isOpen)
    .$if(owner !== null, (query) => query.where('created_by', '=', owner))
    .$if(after !== null, (query) => query.where('id', '>', after))
    .orderBy('id');
}

import { type Kysely, type SelectQueryBuilder, sql } from '#kysely';
import type { Snapshot } from '../../../database/DATABASE.ts';
import type { Schema } from '../../../database/schema.ts';
import { type Scope, scopeTest } from '../../../kernel/access.ts';
import type { Timestamp } from '../../../kernel/time.ts';
import { fitting } from '../page.ts';
import { hasExpired, type SessionRow, sessionFromStored } from './rows.ts';

export interface ListSessions {
  /** The producers whose sessions are listed. */
  readonly scope: Scope;
  readonly now: Timestamp;
  readonly after: string | null;
  readonly limit: number;
}

export interface ListedSessions {
  readonly rows: readonly SessionRow[];
  /** The last one that was looked at, where the list continues after it; null when that was all. */
  readonly reached: string | null;
}

const rowsAtOnce = 1_000;
/** Rows that are looked at for one page: most of them may be others'. */
const mostReads = 50;

/** Those that are open or being committed, in the order in which they were opened. */
export async function listSessions({ sql: database }: Snapshot, input: ListSessions): Promise<ListedSessions> {
  const { scope, now, limit } = input;
  if (scope.length === 0) return { rows: [], reached: null };
  const sees = scopeTest(scope);
  const found: { readonly id: string; readonly size: number }[] = [];
  let reached = input.after;
  let isAll = false;
  for (let read = 0; read < mostReads && found.length <= limit && !isAll; read++) {
    const rows = await listedSessions(database, reached)
      .select(['id', 'producer', 'state', 'expires_at', sql<number>`octet_length(detail) + coalesce(octet_length(reason), 0)`.as('size')])
      .limit(rowsAtOnce)
      .execute();
    for (const row of rows)
      if (sees(row.producer) && !hasExpired({ ...row, state: row.state as SessionRow['state'] }, now)) found.push(row);
    isAll = rows.length < rowsAtOnce;
    reached = rows.at(-1)?.id ?? reached;
  }
  const { count, more } = fitting(found, limit);
  const ids = found.slice(0, count).map(({ id }) => id);
  const rows = count === 0 ? [] : await database.selectFrom('write_sessions').selectAll().where('id', 'in', ids).orderBy('id').execute();
  return { rows: rows.map(sessionFromStored), reached: more ? ids.at(-1)! : isAll ? null : reached };
}

/** As the index on these has it, so that it is used; and said so that no other one is. */
const isListed = sql<boolean>`state not in ('committed', 'aborted', 'expired')`;

export function listedSessions(database: Kysely<Schema>, after: string | null): SelectQueryBuilder<Schema, 'write_sessions', object> {
  return database
    .selectFrom('write_sessions')
    .where(isListed)
    .$if(after !== null, (query) => query.where('id', '>', after))
    .orderBy('id');
}

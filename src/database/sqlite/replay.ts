import { viewTables } from '../columns.ts';
import { sumPackages } from '../migrations/0005-producer-usage.ts';
import { makeMissingIndexes, makeMissingTables, makeMissingTriggers } from '../rebuild.ts';
import { type FoldedChunk, foldLog, type Replayed, replayLog } from '../replay.ts';
import type { LogSession } from '../transaction.ts';
import type { SqliteConnection } from './connection.ts';
import { sqliteQueries } from './dialect.ts';
import { foldOnThread } from './fold-thread.ts';
import { type RowWrites, rowWrites, writeRows } from './row-writes.ts';
import { readHead, sqliteSession } from './session.ts';

/** A log with more events than that is folded by a thread of its own, which takes a tenth of a second to start. */
const threadEvents = 4_000;

/**
 * Empties the views and folds the log into them, inside the caller's transaction, which holds the file's write lock.
 * Readers have the old views until it is committed. Errors: those of `foldLog` and `replayLog`.
 */
export async function replayViews(
  path: string,
  connection: SqliteConnection,
  onProgress: (done: number, total: number) => void,
): Promise<Replayed> {
  const session = sqliteSession(connection);
  await makeMissingTables('sqlite', session.sql);
  await makeMissingTriggers('sqlite', session.sql);
  const replayed = await inBulk(connection, () => {
    for (const view of viewTables) connection.database.exec(`delete from ${view}`);
    const end = readHead(connection);
    const chunks = end !== undefined && end.sequence <= threadEvents ? foldHere(session) : foldOnThread(path);
    const write = async (writes: readonly RowWrites[]): Promise<void> => {
      for (const rows of writes) writeRows(connection, rows);
    };
    return replayLog(session, end, chunks, write, onProgress);
  });
  await makeMissingIndexes('sqlite', session.sql);
  return replayed;
}

async function* foldHere({ readEvents }: LogSession): AsyncGenerator<FoldedChunk<readonly RowWrites[]>> {
  for await (const { changes, head } of foldLog(readEvents)) yield { changes: rowWrites(changes), head };
}

/**
 * Runs `body`, which fills empty views, while they have no secondary indexes and no triggers, and makes both again: to
 * build an index once, and to sum once, is faster than row by row.
 */
export async function inBulk<R>(connection: SqliteConnection, body: () => Promise<R>): Promise<R> {
  connection.forget();
  connection.keepMore(true);
  const names = viewTables.map(() => '?').join(', ');
  const aside = connection.database
    .prepare(
      `select type, name, sql from sqlite_schema where type in ('index', 'trigger') and sql is not null and tbl_name in (${names}) order by name`,
    )
    .all(...viewTables) as unknown as readonly { readonly type: string; readonly name: string; readonly sql: string }[];
  for (const { type, name } of aside) connection.database.exec(`drop ${type} ${name}`);
  const result = await body();
  await sumPackages(sqliteQueries(connection));
  connection.forget();
  for (const { sql } of aside) connection.database.exec(sql);
  connection.keepMore(false);
  return result;
}

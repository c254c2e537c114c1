import { viewTables } from '../columns.ts';
import type { SqliteConnection } from './connection.ts';

/**
 * Runs `body` while the views have no secondary indexes and makes them again: building them once is faster than row by
 * row.
 */
export async function withoutIndexes<R>(connection: SqliteConnection, body: () => Promise<R>): Promise<R> {
  connection.forget();
  const names = viewTables.map(() => '?').join(', ');
  const indexes = connection.database
    .prepare(`select name, sql from sqlite_schema where type = 'index' and sql is not null and tbl_name in (${names}) order by name`)
    .all(...viewTables) as unknown as readonly { readonly name: string; readonly sql: string }[];
  for (const { name } of indexes) connection.database.exec(`drop index ${name}`);
  const result = await body();
  connection.forget();
  for (const { sql } of indexes) connection.database.exec(sql);
  return result;
}

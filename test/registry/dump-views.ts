import { DatabaseSync } from 'node:sqlite';
import { type ViewTable, viewKeys } from '../../src/kernel/views/view.ts';

/**
 * Every row of every view of a SQLite registry, in the order of their keys: two dumps are equal when the views are,
 * byte for byte.
 */
export function dumpViews(databasePath: string): Readonly<Record<string, readonly unknown[]>> {
  const database = new DatabaseSync(databasePath, { readOnly: true });
  try {
    return Object.fromEntries(
      (Object.keys(viewKeys) as ViewTable[]).map((table) => [
        table,
        database.prepare(`select * from ${table} order by ${viewKeys[table].join(', ')}`).all(),
      ]),
    );
  } finally {
    database.close();
  }
}

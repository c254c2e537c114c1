import { sql } from '#kysely';
import type { Migration } from './migration.ts';

/**
 * Counts the holds that keep a package from an index alone. SQLite looks for what an index is limited to in each row
 * once more, so it stands in the index as well: of a hundred thousand holds it had read every row.
 */
export const countedHolds: Migration = {
  name: '0014-counted-holds',
  async up(_dialect, database) {
    for (const statement of indexes) await sql.raw(statement).execute(database);
    for (const name of replaced) await sql.raw(`drop index if exists ${name}`).execute(database);
  },
  rebuildable: () => ({ tables: {}, indexes, replaced }),
};

const replaced: readonly string[] = ['retention_holds_holding'];

const indexes: readonly string[] = [
  'create index if not exists retention_holds_keeping on retention_holds (package_id, applied_at, id, released_at) where released_at is null',
];

import { sql } from '#kysely';
import type { Migration } from './migration.ts';

/**
 * Counts the holds that keep a package from an index alone. SQLite looks once more in each row for what a partial index
 * is limited to, so that stands in this one as well; the one that gives the newest of them has it not, since PostgreSQL
 * would then sort them.
 */
export const countedHolds: Migration = {
  name: '0014-counted-holds',
  async up(_dialect, database) {
    for (const statement of indexes) await sql.raw(statement).execute(database);
  },
  rebuildable: () => ({ tables: {}, indexes }),
};

const indexes: readonly string[] = [
  'create index if not exists retention_holds_counted on retention_holds (package_id, released_at) where released_at is null',
];

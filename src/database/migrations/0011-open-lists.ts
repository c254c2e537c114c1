import { sql } from '#kysely';
import type { Migration } from './migration.ts';

/** Lists the uploads and the write sessions that are under way without a look at those that have ended. */
export const openLists: Migration = {
  name: '0011-open-lists',
  async up(_dialect, database) {
    for (const statement of indexes) await sql.raw(statement).execute(database);
  },
  rebuildable: () => ({ tables: {}, indexes }),
};

const indexes: readonly string[] = [
  "create index if not exists uploads_listed on uploads (id) where state = 'open'",
  "create index if not exists write_sessions_listed on write_sessions (id) where state not in ('committed', 'aborted', 'expired')",
];

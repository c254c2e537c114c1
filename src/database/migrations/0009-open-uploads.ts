import { sql } from '#kysely';
import type { Migration } from './migration.ts';

/** Says what an actor's open uploads have without a look at those that have ended, which are remembered for a day. */
export const openUploads: Migration = {
  name: '0009-open-uploads',
  async up(_dialect, database) {
    for (const statement of indexes) await sql.raw(statement).execute(database);
  },
  rebuildable: () => ({ tables: {}, indexes }),
};

const indexes: readonly string[] = [
  "create index if not exists uploads_open on uploads (created_by, expected_size_bytes, offset_bytes, id) where state = 'open'",
];

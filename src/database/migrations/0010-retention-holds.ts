import { sql } from '#kysely';
import type { Migration } from './migration.ts';

/** Gives the newest holds of a package without a look at all of them: one package can have a hundred thousand. */
export const retentionHolds: Migration = {
  name: '0010-retention-holds',
  async up(_dialect, database) {
    for (const name of replaced) await sql.raw(`drop index if exists ${name}`).execute(database);
    for (const statement of indexes) await sql.raw(statement).execute(database);
  },
  rebuildable: () => ({ tables: {}, indexes, replaced }),
};

const replaced: readonly string[] = ['retention_holds_package', 'retention_holds_active'];

const indexes: readonly string[] = [
  'create index if not exists retention_holds_applied on retention_holds (package_id, applied_at, id)',
  'create index if not exists retention_holds_holding on retention_holds (package_id, applied_at, id) where released_at is null',
];

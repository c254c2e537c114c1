import { sql } from '#kysely';
import type { Migration } from './migration.ts';

/** Finds packages by the time at which they were created or finalized. */
export const packageTimes: Migration = {
  name: '0003-package-times',
  async up(_dialect, database) {
    for (const statement of indexes) await sql.raw(statement).execute(database);
  },
  rebuildable: () => ({ tables: {}, indexes }),
};

const indexes: readonly string[] = [
  'create index if not exists artifact_packages_created on artifact_packages (created_at, created_sequence)',
  'create index if not exists artifact_packages_finalized on artifact_packages (finalized_at, created_sequence) where finalized_at is not null',
];

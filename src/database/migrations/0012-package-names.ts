import { sql } from '#kysely';
import type { Migration } from './migration.ts';

/** Finds packages by their name, as by the other texts that a list goes by. */
export const packageNames: Migration = {
  name: '0012-package-names',
  async up(_dialect, database) {
    for (const statement of indexes) await sql.raw(statement).execute(database);
  },
  rebuildable: () => ({ tables: {}, indexes }),
};

const indexes: readonly string[] = [
  'create index if not exists artifact_packages_with_name on artifact_packages (name, created_sequence, producer)',
];

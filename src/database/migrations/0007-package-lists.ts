import { sql } from '#kysely';
import type { Migration } from './migration.ts';

/**
 * Says whose the packages with a subject, a retention class or a status are without a look at their rows: a list for
 * somebody who may see few of them goes through many.
 */
export const packageLists: Migration = {
  name: '0007-package-lists',
  async up(_dialect, database) {
    for (const name of replaced) await sql.raw(`drop index if exists ${name}`).execute(database);
    for (const statement of indexes) await sql.raw(statement).execute(database);
  },
  rebuildable: () => ({ tables: {}, indexes, replaced }),
};

const replaced: readonly string[] = ['artifact_packages_subject', 'artifact_packages_retention_class', 'artifact_packages_status'];

const indexes: readonly string[] = ['subject', 'retention_class', 'status'].map(
  (column) => `create index if not exists artifact_packages_with_${column} on artifact_packages (${column}, created_sequence, producer)`,
);

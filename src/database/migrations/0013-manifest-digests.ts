import { sql } from '#kysely';
import type { Migration } from './migration.ts';

/** Finds a sealed package by the digest of its manifest. What is not sealed has none, and costs nothing here. */
export const manifestDigests: Migration = {
  name: '0013-manifest-digests',
  async up(_dialect, database) {
    for (const statement of indexes) await sql.raw(statement).execute(database);
  },
  rebuildable: () => ({ tables: {}, indexes }),
};

const indexes: readonly string[] = [
  `create index if not exists artifact_packages_with_manifest_digest
    on artifact_packages (manifest_digest, created_sequence, producer) where manifest_digest is not null`,
];

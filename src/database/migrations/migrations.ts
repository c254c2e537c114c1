import { type Kysely, sql } from '#kysely';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { Clock } from '../clock.ts';
import type { Schema } from '../schema.ts';
import type { Dialect } from '../target.ts';
import { initial } from './0001-initial.ts';
import { storageMarkers } from './0002-storage-markers.ts';
import { packageTimes } from './0003-package-times.ts';
import { runs } from './0004-runs.ts';
import { producerUsage } from './0005-producer-usage.ts';
import { heldObjects } from './0006-held-objects.ts';
import { packageLists } from './0007-package-lists.ts';
import { writeSessions } from './0008-write-sessions.ts';
import { openUploads } from './0009-open-uploads.ts';
import { retentionHolds } from './0010-retention-holds.ts';
import { openLists } from './0011-open-lists.ts';
import { packageNames } from './0012-package-names.ts';
import { manifestDigests } from './0013-manifest-digests.ts';
import { countedHolds } from './0014-counted-holds.ts';
import { dialectWords } from './dialect.ts';
import type { Migration } from './migration.ts';

export const migrations: readonly Migration[] = [
  initial,
  storageMarkers,
  packageTimes,
  runs,
  producerUsage,
  heldObjects,
  packageLists,
  writeSessions,
  openUploads,
  retentionHolds,
  openLists,
  packageNames,
  manifestDigests,
  countedHolds,
];

interface MigrationTable {
  schema_migrations: { name: string; applied_at: string };
}

/** The names of the migrations that are missing. A schema that is newer than this code is refused. */
export async function missingMigrations(database: Kysely<Schema>): Promise<readonly string[]> {
  const table = database as unknown as Kysely<MigrationTable>;
  const applied = new Set((await table.selectFrom('schema_migrations').select('name').execute()).map((row) => row.name));
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = [...applied].filter((name) => !known.has(name)).sort();
  if (unknown.length > 0)
    throw new ArtifactstoreError(
      'database_not_migrated',
      `The database was migrated by a newer artifactstore (${unknown.join(', ')}); use that version, or a later one, with it.`,
      {
        info: {
          unknown_migrations: unknown,
          hint: 'nothing was changed; `artifactstore version` says which version runs here. A schema is never brought back to an older one',
        },
      },
    );
  return migrations.filter((migration) => !applied.has(migration.name)).map((migration) => migration.name);
}

/** Applies what is missing, inside the caller's transaction, which must exclude other migrating processes. */
export async function applyMigrations(dialect: Dialect, database: Kysely<Schema>, clock: Clock): Promise<readonly string[]> {
  const text = sql.raw(dialectWords[dialect].text);
  await sql`create table if not exists schema_migrations (name ${text} not null primary key, applied_at ${text} not null)`.execute(
    database,
  );
  const missing = await missingMigrations(database);
  const table = database as unknown as Kysely<MigrationTable>;
  for (const migration of migrations) {
    if (!missing.includes(migration.name)) continue;
    await migration.up(dialect, database, clock);
    await table.insertInto('schema_migrations').values({ name: migration.name, applied_at: clock.now() }).execute();
  }
  return missing;
}

import { closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Kysely } from 'kysely';
import { ArtifactstoreError } from '../kernel/error.ts';
import { missingMigrations } from './migrations/migrations.ts';
import type { Schema } from './schema.ts';
import type { SqliteConnection } from './sqlite-connection.ts';

/** The file's folder, made durably when it is not there. */
export function makeFolder(path: string): void {
  const folder = dirname(resolve(path));
  const first = mkdirSync(folder, { recursive: true });
  if (first === undefined) return;
  for (let made = folder; ; made = dirname(made)) {
    syncFolder(dirname(made));
    if (made === first || made === dirname(made)) return;
  }
}

export function requireFile(path: string): void {
  if (!existsSync(path)) throw notMigrated(`There is no database at ${path}`);
}

/** Refuses a schema that is older or newer than this code. */
export async function requireSchema(connection: SqliteConnection, queries: Kysely<Schema>): Promise<void> {
  const found = connection.prepare("select 1 from sqlite_schema where type = 'table' and name = 'schema_migrations'").get();
  if (found === undefined) throw notMigrated('The database has no tables yet');
  const missing = await missingMigrations(queries);
  if (missing.length > 0) throw notMigrated(`The database lacks ${missing.join(', ')}`);
}

function notMigrated(what: string): ArtifactstoreError {
  return new ArtifactstoreError('database_not_migrated', `${what}; run \`artifactstore migrate\`.`);
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

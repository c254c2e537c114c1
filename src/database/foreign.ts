import { ArtifactstoreError } from '../kernel/error.ts';
import { migrations } from './migrations/migrations.ts';

/**
 * Throws where the tables of a database that has none of our migrations are somebody else's: making ours among them
 * would fail, or mix the two. `where` names the database for people. A database of a server may have other tables
 * too, in the same schema; a `file` that has any is another program's.
 */
export function refuseForeign(tables: readonly string[], where: string, kind: 'file' | 'server' = 'server'): void {
  if (tables.includes('alembic_version') && tables.includes('artifact_packages'))
    throw foreign(
      `${where} is the database of artifactstore 0.1, which this version does not read.`,
      'leave it as it is, set ARTIFACTSTORE_DATABASE_URL to a new database, and copy the packages from the running 0.1 with `artifactstore import`',
    );
  const taken = tables.filter((name) => ourTables.has(name)).sort();
  if (taken.length > 0) throw foreign(`${where} has tables of another program that are named as ours: ${taken.join(', ')}.`, ownDatabase);
  const others = tables.filter((name) => !name.startsWith('sqlite_')).sort();
  if (kind === 'file' && others.length > 0)
    throw foreign(`${where} is the database of another program: it has ${listed(others)}, and no tables of artifactstore.`, ownDatabase);
}

const ownDatabase = 'set ARTIFACTSTORE_DATABASE_URL to a database that artifactstore has for itself';

function listed(names: readonly string[]): string {
  const more = names.length - 3;
  return `${names.slice(0, 3).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A database in which `migrate` has never run. It may also be the wrong one, so that is asked first. */
export function notOurs(what: string): ArtifactstoreError {
  return new ArtifactstoreError('database_not_migrated', `${what}.`, {
    info: {
      hint: 'does ARTIFACTSTORE_DATABASE_URL name the right database? `artifactstore migrate` makes a new and empty registry there',
    },
  });
}

export function tooOld(missing: readonly string[]): ArtifactstoreError {
  return new ArtifactstoreError('database_not_migrated', `The database lacks ${missing.join(', ')}; run \`artifactstore migrate\`.`);
}

export const ourTables: ReadonlySet<string> = new Set([
  'schema_migrations',
  'events',
  'registry',
  ...migrations.flatMap((migration) => Object.keys(migration.rebuildable('sqlite').tables)),
]);

function foreign(message: string, hint: string): ArtifactstoreError {
  return new ArtifactstoreError('invalid_configuration', message, { field: 'ARTIFACTSTORE_DATABASE_URL', info: { hint } });
}

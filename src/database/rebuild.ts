import { type Kysely, sql } from '#kysely';
import { databaseUnavailable } from './failure.ts';
import { migrations } from './migrations/migrations.ts';
import type { Schema } from './schema.ts';
import type { Dialect } from './target.ts';

// Everything but the log and the registry's id can be lost and made again: replay makes what is missing before it
// folds.

/** Empty, where they are not there; those that are stay as they are. */
export async function makeMissingTables(dialect: Dialect, database: Kysely<Schema>): Promise<void> {
  for (const migration of migrations)
    for (const statement of Object.values(migration.rebuildable(dialect).tables)) await sql.raw(statement).execute(database);
}

/**
 * Before the fold, which the triggers follow. On PostgreSQL the log is locked before: a writer takes that first, too.
 */
export async function makeMissingTriggers(dialect: Dialect, database: Kysely<Schema>): Promise<void> {
  for (const migration of migrations)
    for (const statements of Object.values(migration.rebuildable(dialect).triggers ?? {}))
      for (const statement of statements) await sql.raw(statement).execute(database);
}

/** After the fold: what a damaged view held may break the rule of a unique index. */
export async function makeMissingIndexes(dialect: Dialect, database: Kysely<Schema>): Promise<void> {
  const all = migrations.map((migration) => migration.rebuildable(dialect));
  const replaced = new Set(all.flatMap((rebuildable) => rebuildable.replaced ?? []));
  for (const statement of all.flatMap(({ indexes }) => indexes))
    if (!replaced.has(indexNameOf(statement))) await sql.raw(statement).execute(database);
}

/**
 * Throws `database_unavailable` that names what is missing among the tables and enabled triggers that are `present`,
 * and what brings it back.
 */
export function requireTables(present: readonly string[]): void {
  const names = new Set(present);
  if (!names.has('events') || !names.has('registry')) throw databaseUnavailable('The log itself is missing; restore a backup.');
  const missing = migrations
    .map((migration) => migration.rebuildable('sqlite'))
    .flatMap(({ tables, triggers }) => [...Object.keys(tables), ...Object.keys(triggers ?? {})])
    .filter((name) => !names.has(name));
  if (missing.length === 0) return;
  const bytes = missing.includes('held_objects')
    ? ' Small files that were only in held_objects cannot be made again: `artifactstore storage verify` then says which they are.'
    : '';
  const disabled = missing.some(isTrigger) ? ' A trigger that is disabled counts as lost.' : '';
  throw databaseUnavailable(`The database has lost ${missing.join(', ')}; run \`artifactstore replay\`.${disabled}${bytes}`);
}

function isTrigger(name: string): boolean {
  return migrations.some((migration) => Object.hasOwn(migration.rebuildable('sqlite').triggers ?? {}, name));
}

function indexNameOf(statement: string): string {
  const name = /\sindex\s+(?:if\s+not\s+exists\s+)?(\w+)\s+on\s/.exec(statement)?.[1];
  if (name === undefined) throw new TypeError(`this makes no index: ${statement}`);
  return name;
}

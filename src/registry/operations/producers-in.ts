import type { Kysely } from '#kysely';
import type { Schema } from '../../database/schema.ts';
import { type Scope, scopeTest } from '../../kernel/access.ts';
import { oneOf } from './one-of.ts';

/** Producers that are looked at for the globs of one scope. */
const lookedAt = 20_000;
const atOnce = 1_000;

/**
 * The producers of the scope that ever had a package: each exact one, and each that a glob describes, by a look at each
 * that begins as the glob does. Undefined when more than `most` would be looked at.
 */
export async function producersIn(
  database: Kysely<Schema>,
  scope: Exclude<Scope, 'everything'>,
  most: number,
): Promise<readonly string[] | undefined> {
  const exact = scope.flatMap((pattern) => ('exact' in pattern ? [pattern.exact] : []));
  if (exact.length > most) return undefined;
  const found = new Set(await thoseThere(database, exact));
  const globs = scope.flatMap((pattern) => ('glob' in pattern ? [pattern.glob] : []));
  const sees = scopeTest(scope);
  let left = Math.min(lookedAt, most - exact.length);
  for (const beginning of beginnings(globs)) {
    const names = await beginningWith(database, beginning, left + 1);
    left -= names.length;
    if (left < 0) return undefined;
    for (const name of names) if (sees(name)) found.add(name);
  }
  return [...found];
}

async function thoseThere(database: Kysely<Schema>, names: readonly string[]): Promise<readonly string[]> {
  if (names.length === 0) return [];
  const rows = await database
    .selectFrom(oneOf(names).as('named'))
    .crossJoin('producer_usage as u')
    .select('u.producer')
    .whereRef('u.producer', '=', 'named.key')
    .execute();
  return rows.map(({ producer }) => producer);
}

/** What the globs begin with, without those that begin as another does. */
function beginnings(globs: readonly string[]): readonly string[] {
  const sorted = [...new Set(globs.map((glob) => /^[^*?]*/.exec(glob)![0]))].sort();
  const kept: string[] = [];
  for (const beginning of sorted) if (kept.length === 0 || !beginning.startsWith(kept.at(-1)!)) kept.push(beginning);
  return kept;
}

async function beginningWith(database: Kysely<Schema>, beginning: string, limit: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (let after: string | undefined; found.length < limit; ) {
    let query = database.selectFrom('producer_usage').select('producer').orderBy('producer').limit(atOnce);
    query = after === undefined ? query.where('producer', '>=', beginning) : query.where('producer', '>', after);
    const names = (await query.execute()).map(({ producer }) => producer);
    const fitting = names.filter((name) => name.startsWith(beginning));
    found.push(...fitting);
    // In bytewise order they stand together.
    if (fitting.length < atOnce) return found;
    after = names.at(-1);
  }
  return found;
}

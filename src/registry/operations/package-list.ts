import { type Kysely, type SelectQueryBuilder, sql } from '#kysely';
import type { Snapshot } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import { inScope, type Scope } from '../../kernel/access.ts';
import type { PackageStatus } from '../../kernel/views/view.ts';
import type { Package } from '../REGISTRY.ts';
import { packageRecord } from './packages.ts';
import { fitting, type Stretch as Page } from './page.ts';

export interface ListPackages {
  readonly limit: number;
  /** The sequence below which to continue. */
  readonly before: number | null;
  readonly producer: string | null;
  readonly scope: Scope;
  readonly subject: string | null;
  readonly retention_class: string | null;
  readonly status: PackageStatus | null;
  /** From this time on, and earlier than that. */
  readonly created_after: string | null;
  readonly created_before: string | null;
  readonly finalized_after: string | null;
  readonly finalized_before: string | null;
  /** For each metadata key asked for, the terms of which one must be there. */
  readonly terms: readonly (readonly string[])[];
}

/**
 * Newest first; at most `limit` rows and no more than a page holds, each with the sequence that a cursor continues
 * from.
 */
export async function listPackages(
  snapshot: Snapshot,
  input: ListPackages,
): Promise<Page<{ readonly sequence: number; readonly record: Package }>> {
  const stretch = await stretchOf(snapshot.sql, input);
  if (stretch === undefined) return nothing;
  const conditions = await sequencesOf(snapshot.sql, input, stretch);
  if (conditions === undefined) return nothing;
  const all = conditions.reduce((left, right) => left.intersect(right));
  const times = timeConditions(input);
  const page =
    times.length === 0
      ? all.orderBy('created_sequence', 'desc').limit(input.limit + 1)
      : snapshot.sql
          .selectFrom(all.as('found'))
          .innerJoin('artifact_packages as t', 't.created_sequence', 'found.created_sequence')
          .select('found.created_sequence')
          .where(({ and, eb }) => and(times.map(({ column, operator, time }) => eb(`t.${column}`, operator, time))))
          .orderBy('found.created_sequence', 'desc')
          .limit(input.limit + 1);
  const sizes = await snapshot.sql
    .selectFrom(page.as('page'))
    .innerJoin('artifact_packages as p', 'p.created_sequence', 'page.created_sequence')
    .select(['p.created_sequence', sql<number>`octet_length(p.metadata)`.as('size')])
    .orderBy('p.created_sequence', 'desc')
    .execute();
  if (sizes.length === 0) return nothing;
  const { count, more } = fitting(sizes, input.limit);
  const rows = await snapshot.sql
    .selectFrom('artifact_packages as p')
    .where(
      'p.created_sequence',
      'in',
      sizes.slice(0, count).map((row) => row.created_sequence),
    )
    .leftJoin('retention_state as r', 'r.package_id', 'p.id')
    .selectAll('p')
    .select('r.expires_at')
    .orderBy('p.created_sequence', 'desc')
    .execute();
  return { items: rows.map((row) => ({ sequence: row.created_sequence, record: packageRecord(row) })), more };
}

const nothing = { items: [], more: false } as const;

interface TimeCondition {
  readonly column: 'created_at' | 'finalized_at';
  readonly operator: '>=' | '<';
  readonly time: string;
}

function timeConditions(input: ListPackages): readonly TimeCondition[] {
  const all = [
    { column: 'created_at', operator: '>=', time: input.created_after },
    { column: 'created_at', operator: '<', time: input.created_before },
    { column: 'finalized_at', operator: '>=', time: input.finalized_after },
    { column: 'finalized_at', operator: '<', time: input.finalized_before },
  ] as const;
  return all.flatMap(({ column, operator, time }) => (time === null ? [] : [{ column, operator, time }]));
}

/** Sequences that lie between these, both excluded. */
interface Stretch {
  readonly after: number | null;
  readonly before: number | null;
}

/**
 * Where the packages of the asked times lie in the order of the list. Clocks are not ordered as sequences are, so this
 * is the stretch that holds all of them, by an index alone; each is looked at for itself after. Undefined when there
 * are none.
 */
async function stretchOf(database: Kysely<Schema>, input: ListPackages): Promise<Stretch | undefined> {
  let { before } = input;
  let after: number | null = null;
  for (const column of ['created_at', 'finalized_at'] as const) {
    const times = timeConditions(input).filter((condition) => condition.column === column);
    if (times.length === 0) continue;
    const ends = await database
      .selectFrom('artifact_packages')
      .select(({ fn }) => [fn.min<number | null>('created_sequence').as('first'), fn.max<number | null>('created_sequence').as('last')])
      .where(({ and, eb }) => and(times.map(({ operator, time }) => eb(column, operator, time))))
      .executeTakeFirst();
    if (ends === undefined || ends.first === null || ends.last === null) return undefined;
    after = Math.max(after ?? 0, Number(ends.first) - 1);
    before = Math.min(before ?? Number.MAX_SAFE_INTEGER, Number(ends.last) + 1);
  }
  return { after, before };
}

type Sequences = SelectQueryBuilder<Schema, keyof Schema, { created_sequence: number }>;

/**
 * The packages that meet each condition, by their sequence: each a stretch of one index that is in that order already,
 * so that the database merges them from the newest down and stops at the limit. However the conditions overlap, no
 * package row is read that is not on the page. Undefined when one condition is met by none.
 */
async function sequencesOf(database: Kysely<Schema>, input: ListPackages, stretch: Stretch): Promise<readonly Sequences[] | undefined> {
  const { after, before } = stretch;
  const ofPackages = database
    .selectFrom('artifact_packages')
    .select('created_sequence')
    .$if(after !== null, (query) => query.where('created_sequence', '>', after!))
    .$if(before !== null, (query) => query.where('created_sequence', '<', before!));
  const ofMetadata = (terms: readonly string[]) =>
    database
      .selectFrom('package_metadata')
      .select('created_sequence')
      .where('term', 'in', terms)
      .$if(after !== null, (query) => query.where('created_sequence', '>', after!))
      .$if(before !== null, (query) => query.where('created_sequence', '<', before!));

  const conditions: Sequences[] = [];
  if (input.scope !== 'everything') {
    const producers = await producersIn(database, input.scope);
    if (producers.length === 0) return undefined;
    conditions.push(ofPackages.where('producer', 'in', producers));
  }
  for (const column of ['producer', 'subject', 'retention_class', 'status'] as const) {
    const value = input[column];
    if (value !== null) conditions.push(ofPackages.where(column, '=', value));
  }
  for (const alternatives of input.terms) {
    // A text that can be read in two ways nearly always occurs in one, and the rows of two would have to be sorted.
    const present: string[] = [];
    for (const term of alternatives) if ((await ofMetadata([term]).limit(1).executeTakeFirst()) !== undefined) present.push(term);
    if (present.length === 0) return undefined;
    conditions.push(ofMetadata(present));
  }
  return conditions.length === 0 ? [ofPackages] : conditions;
}

/** Every producer of the scope that has a package: one look into an index for each producer. */
async function producersIn(database: Kysely<Schema>, scope: Scope): Promise<readonly string[]> {
  const found: string[] = [];
  let last = '';
  for (;;) {
    const next = await database
      .selectFrom('artifact_packages')
      .select(({ fn }) => fn.min('producer').as('producer'))
      .where('producer', '>', last)
      .executeTakeFirst();
    if (next?.producer == null) return found;
    last = next.producer;
    if (inScope(scope, last)) found.push(last);
  }
}

import { type AliasedExpression, type Kysely, type SelectQueryBuilder, sql } from '#kysely';
import type { Schema } from '../../database/schema.ts';
import { oneOf } from './one-of.ts';

/** What a list of packages is asked for, beside whose they are. */
export interface Filters {
  /** All of these must be met. */
  readonly conditions: readonly Condition[];
  readonly times: readonly TimeCondition[];
}

/** Each is a stretch of one index, in the order of the list. */
export type Condition = ColumnCondition | TermCondition;

interface ColumnCondition {
  readonly column: 'name' | 'producer' | 'subject' | 'retention_class' | 'status' | 'manifest_digest';
  readonly value: string;
}

/** One of these terms must be there. */
interface TermCondition {
  readonly terms: readonly string[];
}

export interface TimeCondition {
  readonly column: 'created_at' | 'finalized_at';
  readonly operator: '>=' | '<';
  readonly time: string;
}

/** Sequences that lie between these, both excluded. */
export interface Between {
  readonly after: number | null;
  readonly before: number | null;
}

/** Sequences to select from, newest first. */
export type PageOfSequences = AliasedExpression<{ created_sequence: number }, 'page'>;

/** Packages as `p`. */
type Packages = SelectQueryBuilder<Schema & { p: Schema['artifact_packages'] }, 'p', object>;

/** What a look at a package's row, or for what a producer has, takes of looks at entries that are side by side. */
export const apart = 5;

/** How many packages that meet a condition are looked at to see how rare they are. */
const probed = 1_000;

/** The newest packages that meet all conditions: those that meet the rarest one, each looked at for the others. */
export async function newest(database: Kysely<Schema>, filters: Filters, between: Between, limit: number): Promise<PageOfSequences> {
  const lead = await rarest(database, filters.conditions, between);
  let query = packagesWith(database, lead, between);
  for (const condition of filters.conditions) {
    if (condition === lead) continue;
    // PostgreSQL takes this for what it says, and decides by its statistics. SQLite has none: it takes no index for it,
    // so that the one of the rarest condition is left.
    query =
      'column' in condition
        ? query.where(sql<boolean>`not (${sql.ref(`p.${condition.column}`)} <> ${condition.value})`)
        : query.where(({ exists, selectFrom }) =>
            exists(
              selectFrom('package_metadata as other')
                .select('other.term')
                .where('other.term', 'in', condition.terms)
                .whereRef('other.created_sequence', '=', 'p.created_sequence'),
            ),
          );
  }
  for (const { column, operator, time } of filters.times) query = query.where(`p.${column}`, operator, time);
  return query.select('p.created_sequence').limit(limit).as('page');
}

/**
 * The condition that the fewest packages meet, as far as a probe tells; undefined without any. Of a producer nothing
 * else is in the index, so that it has to be rarer by as much as that costs.
 */
export async function rarest(database: Kysely<Schema>, conditions: readonly Condition[], between: Between): Promise<Condition | undefined> {
  if (conditions.length < 2) return conditions[0];
  const start = between.before ?? Number.MAX_SAFE_INTEGER;
  let found: { readonly condition: Condition; readonly span: number } | undefined;
  for (const condition of conditions) {
    const reached = await probe(database, condition, between);
    if (reached === undefined) return condition;
    const span = (start - reached) / ('column' in condition && condition.column === 'producer' ? apart : 1);
    if (found === undefined || span > found.span) found = { condition, span };
  }
  return found?.condition;
}

/** Down to where the newest of those that meet it are; undefined when that is to the end. */
async function probe(database: Kysely<Schema>, condition: Condition, between: Between): Promise<number | undefined> {
  const found =
    'column' in condition
      ? await packagesWith(database, condition, between).select('p.created_sequence').offset(probed).limit(1).executeTakeFirst()
      : await termsWith(database, condition, between).select('m.created_sequence').offset(probed).limit(1).executeTakeFirst();
  return found?.created_sequence;
}

/** The packages that meet one condition, or all, newest first. */
export function packagesWith(database: Kysely<Schema>, condition: Condition | undefined, between: Between): Packages {
  if (condition !== undefined && 'terms' in condition)
    return termsWith(database, condition, between).innerJoin(
      'artifact_packages as p',
      'p.created_sequence',
      'm.created_sequence',
    ) as unknown as Packages;
  const { after, before } = between;
  const packages = database
    .selectFrom('artifact_packages as p')
    .$if(after !== null, (query) => query.where('p.created_sequence', '>', after!))
    .$if(before !== null, (query) => query.where('p.created_sequence', '<', before!))
    .orderBy('p.created_sequence', 'desc');
  return condition === undefined ? packages : packages.where(`p.${condition.column}`, '=', condition.value);
}

function termsWith(database: Kysely<Schema>, { terms }: TermCondition, { after, before }: Between) {
  return database
    .selectFrom('package_metadata as m')
    .where('m.term', 'in', terms)
    .$if(after !== null, (query) => query.where('m.created_sequence', '>', after!))
    .$if(before !== null, (query) => query.where('m.created_sequence', '<', before!))
    .orderBy('m.created_sequence', 'desc');
}

/** Those of the packages that meet the conditions, each looked at for itself; in the order in which they are given. */
export async function meeting(
  database: Kysely<Schema>,
  { conditions, times }: Filters,
  sequences: readonly number[],
): Promise<readonly number[]> {
  if (sequences.length === 0 || conditions.length + times.length === 0) return sequences;
  const rows = await database
    .selectFrom(oneOf(sequences).as('wanted'))
    .crossJoin('artifact_packages as p')
    .select(['p.created_sequence', 'p.name', 'p.producer', 'p.subject', 'p.retention_class', 'p.status', 'p.manifest_digest'])
    .select(['p.created_at', 'p.finalized_at'])
    .where('p.created_sequence', '=', sql<number>`cast(wanted.key as bigint)`)
    .execute();
  const meets = rows.filter(
    (row) =>
      conditions.every((condition) => !('column' in condition) || row[condition.column] === condition.value) &&
      times.every(({ column, operator, time }) => {
        const at = row[column];
        return at !== null && (operator === '<' ? at < time : at >= time);
      }),
  );
  let found: ReadonlySet<number> = new Set(meets.map(({ created_sequence }) => created_sequence));
  for (const condition of conditions) {
    if ('column' in condition || found.size === 0) continue;
    const ofTerm = await database
      .selectFrom(oneOf([...found]).as('wanted'))
      .crossJoin('package_metadata as m')
      .select('m.created_sequence')
      .where('m.term', 'in', condition.terms)
      .where('m.created_sequence', '=', sql<number>`cast(wanted.key as bigint)`)
      .execute();
    found = new Set(ofTerm.map(({ created_sequence }) => created_sequence));
  }
  return sequences.filter((sequence) => found.has(sequence));
}

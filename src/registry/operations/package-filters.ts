import type { AliasedExpression, Kysely, SelectQueryBuilder } from '#kysely';
import type { Schema } from '../../database/schema.ts';

/** What a list of packages is asked for, beside whose they are. */
export interface Filters {
  readonly columns: readonly { readonly column: 'producer' | 'subject' | 'retention_class' | 'status'; readonly value: string }[];
  /** Of each of these one term must be there. */
  readonly terms: readonly (readonly string[])[];
  readonly times: readonly TimeCondition[];
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

type Sequences = SelectQueryBuilder<Schema, keyof Schema, { created_sequence: number }>;
/** Sequences to select from. */
export type PageOfSequences = AliasedExpression<{ created_sequence: number }, 'page'>;

/**
 * The newest packages that meet each condition, by their sequence: each condition is a stretch of one index that is in
 * that order already, so that the database merges them from the newest down and stops at the limit. However the
 * conditions overlap, no package row is read that is not on the page.
 */
export function newest(database: Kysely<Schema>, filters: Filters, { after, before }: Between, limit: number): PageOfSequences {
  const ofPackages = database
    .selectFrom('artifact_packages')
    .select('created_sequence')
    .$if(after !== null, (query) => query.where('created_sequence', '>', after!))
    .$if(before !== null, (query) => query.where('created_sequence', '<', before!));
  const conditions: Sequences[] = [
    ...filters.columns.map(({ column, value }) => ofPackages.where(column, '=', value)),
    ...filters.terms.map((terms) =>
      database
        .selectFrom('package_metadata')
        .select('created_sequence')
        .where('term', 'in', terms)
        .$if(after !== null, (query) => query.where('created_sequence', '>', after!))
        .$if(before !== null, (query) => query.where('created_sequence', '<', before!)),
    ),
  ];
  const all = conditions.length === 0 ? ofPackages : conditions.reduce((left, right) => left.intersect(right));
  const { times } = filters;
  if (times.length === 0) return all.orderBy('created_sequence', 'desc').limit(limit).as('page');
  return database
    .selectFrom(all.as('found'))
    .innerJoin('artifact_packages as t', 't.created_sequence', 'found.created_sequence')
    .select('found.created_sequence')
    .where(({ and, eb }) => and(times.map(({ column, operator, time }) => eb(`t.${column}`, operator, time))))
    .orderBy('found.created_sequence', 'desc')
    .limit(limit)
    .as('page');
}

/** Those of at most 500 packages that meet the conditions, each looked at for itself; in any order. */
export async function meeting(database: Kysely<Schema>, filters: Filters, sequences: readonly number[]): Promise<ReadonlySet<number>> {
  if (sequences.length === 0) return new Set();
  const rows = await database
    .selectFrom('artifact_packages')
    .select(['created_sequence', 'producer', 'subject', 'retention_class', 'status', 'created_at', 'finalized_at'])
    .where('created_sequence', 'in', sequences)
    .execute();
  const meets = rows.filter(
    (row) =>
      filters.columns.every(({ column, value }) => row[column] === value) &&
      filters.times.every(({ column, operator, time }) => {
        const at = row[column];
        return at !== null && (operator === '<' ? at < time : at >= time);
      }),
  );
  let found: ReadonlySet<number> = new Set(meets.map(({ created_sequence }) => created_sequence));
  for (const terms of filters.terms) {
    if (found.size === 0) return found;
    const ofTerm = await database
      .selectFrom('package_metadata')
      .select('created_sequence')
      .where('term', 'in', terms)
      .where('created_sequence', 'in', [...found])
      .execute();
    found = new Set(ofTerm.map(({ created_sequence }) => created_sequence));
  }
  return found;
}

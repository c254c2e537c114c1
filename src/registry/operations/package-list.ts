import type { Kysely, SelectQueryBuilder } from '#kysely';
import type { Snapshot } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import type { PackageStatus } from '../../kernel/view.ts';
import type { Package } from '../REGISTRY.ts';
import { packageRecord } from './packages.ts';

export interface ListPackages {
  readonly limit: number;
  /** The sequence below which to go on. */
  readonly before: number | null;
  readonly producer: string | null;
  readonly subject: string | null;
  readonly retention_class: string | null;
  readonly status: PackageStatus | null;
  /** For each metadata key asked for, the terms of which one must be there. */
  readonly terms: readonly (readonly string[])[];
}

/** Newest first; at most `limit` rows, each with the sequence that a cursor goes on from. */
export async function listPackages(
  snapshot: Snapshot,
  input: ListPackages,
): Promise<readonly { readonly sequence: number; readonly record: Package }[]> {
  const conditions = await sequencesOf(snapshot.sql, input);
  if (conditions === undefined) return [];
  const all = conditions.reduce((left, right) => left.intersect(right));
  const page = all.orderBy('created_sequence', 'desc').limit(input.limit);
  const rows = await snapshot.sql
    .selectFrom(page.as('page'))
    .innerJoin('artifact_packages as p', 'p.created_sequence', 'page.created_sequence')
    .leftJoin('retention_state as r', 'r.package_id', 'p.id')
    .selectAll('p')
    .select('r.expires_at')
    .orderBy('p.created_sequence', 'desc')
    .execute();
  return rows.map((row) => ({ sequence: row.created_sequence, record: packageRecord(row) }));
}

type Sequences = SelectQueryBuilder<Schema, keyof Schema, { created_sequence: number }>;

/**
 * The packages that meet each condition, by their sequence: each a stretch of one index that is in that order already, so that the
 * database merges them from the newest down and stops at the limit. However the conditions overlap, no package row is read that is
 * not on the page. Undefined when one condition is met by none.
 */
async function sequencesOf(database: Kysely<Schema>, input: ListPackages): Promise<readonly Sequences[] | undefined> {
  const { before } = input;
  const ofPackages = database
    .selectFrom('artifact_packages')
    .select('created_sequence')
    .$if(before !== null, (query) => query.where('created_sequence', '<', before!));
  const ofMetadata = (terms: readonly string[]) =>
    database
      .selectFrom('package_metadata')
      .select('created_sequence')
      .where('term', 'in', terms)
      .$if(before !== null, (query) => query.where('created_sequence', '<', before!));

  const conditions: Sequences[] = [];
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

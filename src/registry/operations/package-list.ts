import { type Kysely, sql } from '#kysely';
import type { Snapshot } from '../../database/DATABASE.ts';
import type { Schema } from '../../database/schema.ts';
import { inScope, type Scope } from '../../kernel/access.ts';
import { encodeItems } from '../../kernel/format/encoded-page.ts';
import type { PackageStatus } from '../../kernel/views/view.ts';
import type { Package } from '../REGISTRY.ts';
import { type Between, type Condition, type Filters, newest, type PageOfSequences, type TimeCondition } from './package-filters.ts';
import { holdCount, type PackageRow, packageRecord, packageText } from './packages.ts';
import { fitting, type Looked, type LookedAt, type LookedEncoded } from './page.ts';
import { readablePackages } from './readable-packages.ts';

export interface ListPackages {
  readonly limit: number;
  /** That the page has already. */
  readonly bytes: number;
  /** The sequence below which to continue. */
  readonly before: number | null;
  readonly name: string | null;
  readonly producer: string | null;
  readonly scope: Scope;
  readonly subject: string | null;
  readonly retention_class: string | null;
  readonly status: PackageStatus | null;
  readonly manifest_digest: string | null;
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
 * from. For a narrow scope it looks at a part of what is there.
 */
export async function listPackages(snapshot: Snapshot, input: ListPackages): Promise<LookedAt<Package>> {
  const { rows, ...looked } = await list(snapshot, input);
  return { ...looked, items: rows.map(packageRecord) };
}

/** The same, as JSON. */
export async function listPackagesEncoded(snapshot: Snapshot, input: ListPackages): Promise<LookedEncoded> {
  const { rows, ...looked } = await list(snapshot, input);
  return { ...looked, moved: [encodeItems(rows.map(packageText))] };
}

async function list(snapshot: Snapshot, input: ListPackages): Promise<LookedRows> {
  const narrow = narrowed(input);
  if (narrow === undefined) return nothing;
  const stretch = await stretchOf(snapshot.sql, narrow);
  if (stretch === undefined) return nothing;
  const filters = await filtersOf(snapshot.sql, narrow);
  if (filters === undefined) return nothing;
  const { limit, scope, bytes } = narrow;
  if (scope === 'everything')
    return { ...(await pageOf(snapshot.sql, await newest(snapshot.sql, filters, stretch, limit + 1), narrow)), reached: null };
  const { sequences, reached } = await readablePackages(snapshot.sql, { scope, filters, stretch, limit: limit + 1 });
  if (sequences.length === 0) return { ...nothing, reached, bytes };
  const page = snapshot.sql
    .selectFrom('artifact_packages')
    .select('created_sequence')
    .where('created_sequence', 'in', sequences)
    .as('page');
  return { ...(await pageOf(snapshot.sql, page, narrow)), reached };
}

/** One producer is one stretch of an index, whether it was asked for or nothing else may be seen. */
function narrowed(input: ListPackages): ListPackages | undefined {
  const { scope, producer } = input;
  if (scope === 'everything') return input;
  const [only] = scope;
  const one = producer ?? (scope.length === 1 && only !== undefined && 'exact' in only ? only.exact : null);
  if (one === null) return scope.length === 0 ? undefined : input;
  return inScope(scope, one) ? { ...input, producer: one, scope: 'everything' } : undefined;
}

async function pageOf(
  database: Kysely<Schema>,
  page: PageOfSequences,
  { limit, bytes: begun }: Pick<ListPackages, 'limit' | 'bytes'>,
): Promise<Omit<LookedRows, 'reached'>> {
  const sizes = await database
    .selectFrom(page)
    .innerJoin('artifact_packages as p', 'p.created_sequence', 'page.created_sequence')
    .select(['p.created_sequence', sql<number>`octet_length(p.metadata)`.as('size')])
    .orderBy('p.created_sequence', 'desc')
    .execute();
  const { count, more, bytes } = fitting(sizes, limit, begun);
  if (count === 0) return { ...nothing, more, bytes };
  const rows = await database
    .selectFrom('artifact_packages as p')
    .where(
      'p.created_sequence',
      'in',
      sizes.slice(0, count).map((row) => row.created_sequence),
    )
    .leftJoin('retention_state as r', 'r.package_id', 'p.id')
    .selectAll('p')
    .select(['r.expires_at', holdCount.as('hold_count')])
    .orderBy('p.created_sequence', 'desc')
    .execute();
  return { rows, item_count: rows.length, last: rows.at(-1)?.created_sequence ?? null, more, bytes };
}

interface LookedRows extends Looked {
  readonly rows: readonly (PackageRow & { readonly created_sequence: number })[];
}

const nothing: LookedRows = { rows: [], item_count: 0, last: null, more: false, reached: null, bytes: 0 };

/**
 * Where the packages of the asked times lie in the order of the list. Clocks are not ordered as sequences are, so this
 * is the stretch that holds all of them, by an index alone; each is looked at for itself after. Undefined when there
 * are none.
 */
async function stretchOf(database: Kysely<Schema>, input: ListPackages): Promise<Between | undefined> {
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

const columns = ['manifest_digest', 'name', 'subject', 'retention_class', 'status', 'producer'] as const;

/** What is asked for. Undefined when one condition is met by no package at all. */
async function filtersOf(database: Kysely<Schema>, input: ListPackages): Promise<Filters | undefined> {
  const conditions: Condition[] = columns.flatMap((column) => {
    const value = input[column];
    return value === null ? [] : [{ column, value }];
  });
  for (const alternatives of input.terms) {
    // A text that can be read in two ways nearly always occurs in one, and the rows of two would have to be sorted.
    const present: string[] = [];
    for (const term of alternatives) {
      const found = await database.selectFrom('package_metadata').select('term').where('term', '=', term).limit(1).executeTakeFirst();
      if (found !== undefined) present.push(term);
    }
    if (present.length === 0) return undefined;
    conditions.push({ terms: present });
  }
  return { conditions, times: timeConditions(input) };
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

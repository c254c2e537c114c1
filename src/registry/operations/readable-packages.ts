import { type Kysely, sql } from '#kysely';
import type { Schema } from '../../database/schema.ts';
import { type Scope, scopeTest } from '../../kernel/access.ts';
import { oneOf } from './one-of.ts';
import { apart, type Between, type Condition, type Filters, meeting, packagesWith, rarest } from './package-filters.ts';
import { producersIn } from './producers-in.ts';

export interface FindReadable {
  readonly scope: Exclude<Scope, 'everything'>;
  readonly filters: Filters;
  readonly stretch: Between;
  readonly limit: number;
}

export interface ReadablePackages {
  /** Newest first. */
  readonly sequences: readonly number[];
  /** The sequence that was looked at last; null when there are no more. */
  readonly reached: number | null;
}

/** Looks at index entries, or what takes as long, of one read: some 50 ms of a thread. */
const budget = 80_000;
/** Entries of one step. */
const stepSize = 1_000;
/** How much farther than a first step the next one reaches that has less to look at. */
const widening = 8;

/** All packages of the list between the one before and this one were found. */
interface Step {
  readonly looks: number;
  readonly sequences: readonly number[];
  /** The sequence that was looked at last; null when there are no more. */
  readonly reached: number | null;
}

/** What the steps of one read go by. */
interface Search extends FindReadable {
  readonly sees: (producer: string) => boolean;
  /** The condition that the fewest meet, and the others. */
  readonly lead: Condition | undefined;
  readonly others: Filters;
}

/**
 * The newest packages of producers in a scope that meet the filters. There are two ways down from the newest: `walk`
 * takes what meets the rarest condition and looks whose it is, `gather` takes what each producer of the scope has. Both
 * look whether the few that are left meet the filters. Both find the same, and how far one gets with so many looks
 * depends on the data: it begins with the first, tries the other when that seems worth a look for each producer, and
 * continues with the better one.
 */
export async function readablePackages(database: Kysely<Schema>, asked: FindReadable): Promise<ReadablePackages> {
  const { stretch, limit, filters, scope } = asked;
  const lead = await rarest(database, filters.conditions, stretch);
  const others = { ...filters, conditions: filters.conditions.filter((condition) => condition !== lead) };
  const search: Search = { ...asked, sees: scopeTest(scope), lead, others };
  const start = stretch.before ?? (await lastSequence(database)) + 1;
  const sequences: number[] = [];
  let position = start;
  let looks = 0;
  let walkedFor = 0;
  let gatheredFor = 0;
  let width = 0;
  let producers: readonly string[] | undefined;
  /** What was spent to find producers, in vain. */
  let tried = 0;
  for (;;) {
    const gathers = producers !== undefined && gatheredFor < walkedFor;
    const step: Step = gathers
      ? await gather(database, search, producers!, { after: Math.max(stretch.after ?? 0, position - width), before: position })
      : await walk(database, search, position);
    looks += step.looks;
    sequences.push(...step.sequences);
    if (step.reached === null || sequences.length >= limit || looks >= budget)
      return { sequences: sequences.slice(0, limit), reached: step.reached };
    const covered = position - step.reached;
    position = step.reached;
    if (gathers) {
      gatheredFor = step.looks / covered;
      width = Math.min(width, covered) * (step.looks - apart * producers!.length < stepSize / 2 ? widening : 1);
      continue;
    }
    walkedFor = step.looks / covered;
    if (producers !== undefined) continue;
    const expected = ((looks - tried) * (limit - sequences.length)) / Math.max(sequences.length, 0.1);
    const worthwhile = Math.floor(expected / apart);
    if (worthwhile < 2 * tried) continue;
    producers = await producersIn(database, scope, worthwhile);
    if (producers === undefined) {
      tried = Math.max(worthwhile, 1);
      continue;
    }
    if (producers.length === 0) return { sequences, reached: null };
    looks += apart * producers.length;
    width = (await areFew(database, producers, position)) ? position : covered * Math.max(widening, (2 * producers.length) / stepSize);
  }
}

async function walk(database: Kysely<Schema>, { lead, others, stretch, limit, sees }: Search, before: number): Promise<Step> {
  const size = Math.max(stepSize, limit);
  const rows = await packagesWith(database, lead, { after: stretch.after, before })
    .select(['p.created_sequence', 'p.producer'])
    .limit(size)
    .execute();
  const seen = rows.filter(({ producer }) => sees(producer)).map(({ created_sequence }) => created_sequence);
  const sequences = await meeting(database, others, seen);
  return { looks: rows.length + looksOf(others, seen), sequences, reached: rows.length < size ? null : rows.at(-1)!.created_sequence };
}

async function gather(
  database: Kysely<Schema>,
  { filters, stretch }: Search,
  producers: readonly string[],
  { after, before }: { readonly after: number; readonly before: number },
): Promise<Step> {
  const rows = await ofProducers(database, producers, before)
    .where('p.created_sequence', '>', after)
    .orderBy('p.created_sequence', 'desc')
    .limit(stepSize)
    .execute();
  const entries = rows.map(({ created_sequence }) => created_sequence);
  const sequences = await meeting(database, filters, entries);
  const looks = apart * producers.length + entries.length + looksOf(filters, entries);
  if (entries.length === stepSize) return { looks, sequences, reached: entries.at(-1)! };
  if (after <= (stretch.after ?? 0)) return { looks, sequences, reached: null };
  if (entries.length > 0) return { looks, sequences, reached: after + 1 };
  const next = await newestOf(database, producers, after + 1);
  const ended = next === undefined || next <= (stretch.after ?? 0);
  return { looks: 2 * looks, sequences, reached: ended ? null : next + 1 };
}

/** The newest of all the producers: whatever others have above it is not looked at. */
async function newestOf(database: Kysely<Schema>, producers: readonly string[], before: number): Promise<number | undefined> {
  const row = await database
    .selectFrom(oneOf(producers).as('named'))
    .select(({ selectFrom }) =>
      sql<number | null>`max(${selectFrom('artifact_packages as p')
        .select('p.created_sequence')
        .whereRef('p.producer', '=', 'named.key')
        .where('p.created_sequence', '<', before)
        .orderBy('p.created_sequence', 'desc')
        .limit(1)})`.as('newest'),
    )
    .executeTakeFirst();
  return row?.newest === null || row === undefined ? undefined : Number(row.newest);
}

/** Whether the producers have fewer packages in all than one step looks at. */
async function areFew(database: Kysely<Schema>, producers: readonly string[], before: number): Promise<boolean> {
  return (await ofProducers(database, producers, before).limit(stepSize).execute()).length < stepSize;
}

function ofProducers(database: Kysely<Schema>, producers: readonly string[], before: number) {
  return database
    .selectFrom(oneOf(producers).as('named'))
    .crossJoin('artifact_packages as p')
    .select('p.created_sequence')
    .whereRef('p.producer', '=', 'named.key')
    .where('p.created_sequence', '<', before);
}

function looksOf({ conditions, times }: Filters, entries: readonly number[]): number {
  return conditions.length + times.length === 0 ? 0 : apart * entries.length;
}

async function lastSequence(database: Kysely<Schema>): Promise<number> {
  const row = await database
    .selectFrom('artifact_packages')
    .select('created_sequence')
    .orderBy('created_sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.created_sequence ?? 0;
}

import type { Kysely } from '#kysely';
import type { Schema } from '../../database/schema.ts';
import { type Scope, scopeTest } from '../../kernel/access.ts';
import { type Between, type Filters, meeting, newest } from './package-filters.ts';
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

/** Index entries that one read looks at, about: some 50 ms of a thread. */
const budget = 20_000;
/** Entries of one step. */
const stepSize = 1_000;
/** Packages and producers in one statement. */
const atOnce = 500;
/** How much farther than a first step the next one reaches that has less to look at. */
const widening = 8;

/** All packages of the list between the one before and this one were found. */
interface Step {
  readonly looks: number;
  readonly sequences: readonly number[];
  /** The sequence that was looked at last; null when there are no more. */
  readonly reached: number | null;
}

/**
 * The newest packages of producers in a scope that meet the filters. There are two ways down from the newest: `walk`
 * takes what the filters find and looks whose it is, `gather` takes what each producer of the scope has and looks
 * whether it meets the filters. Both find the same, and how far one gets with so many looks depends on the data: it
 * begins with the first, tries the other when that seems worth a look at each producer, and continues with the better
 * one.
 */
export async function readablePackages(database: Kysely<Schema>, asked: FindReadable): Promise<ReadablePackages> {
  const { stretch, limit } = asked;
  const start = stretch.before ?? (await lastSequence(database)) + 1;
  const sequences: number[] = [];
  let position = start;
  let looks = 0;
  let walkedFor = 0;
  let gatheredFor = 0;
  let width = 0;
  let producers: readonly string[] | undefined;
  for (;;) {
    const gathers = producers !== undefined && gatheredFor < walkedFor;
    const step: Step = gathers
      ? await gather(database, asked, producers!, { after: Math.max(stretch.after ?? 0, position - width), before: position })
      : await walk(database, asked, position);
    looks += step.looks;
    sequences.push(...step.sequences);
    if (step.reached === null || sequences.length >= limit || looks >= budget)
      return { sequences: sequences.slice(0, limit), reached: step.reached };
    const covered = position - step.reached;
    position = step.reached;
    if (gathers) {
      gatheredFor = step.looks / covered;
      width = step.looks - producers!.length < stepSize / 2 ? covered * widening : covered;
      continue;
    }
    walkedFor = step.looks / covered;
    if (producers !== undefined) continue;
    const producersOfScope = await producersIn(database, asked.scope);
    if (producersOfScope?.length === 0) return { sequences, reached: null };
    const expected = (step.looks * (limit - sequences.length)) / Math.max(step.sequences.length, 0.1);
    if (producersOfScope === undefined || producersOfScope.length > expected) gatheredFor = Number.POSITIVE_INFINITY;
    producers = producersOfScope ?? [];
    if (gatheredFor > 0) continue;
    looks += producers.length;
    width = (await areFew(database, producers, position)) ? position : covered * Math.max(widening, (2 * producers.length) / stepSize);
  }
}

async function walk(database: Kysely<Schema>, { scope, filters, stretch, limit }: FindReadable, before: number): Promise<Step> {
  const size = Math.max(stepSize, limit);
  const rows = await database
    .selectFrom(newest(database, filters, { after: stretch.after, before }, size))
    .innerJoin('artifact_packages as p', 'p.created_sequence', 'page.created_sequence')
    .select(['p.created_sequence', 'p.producer'])
    .orderBy('p.created_sequence', 'desc')
    .execute();
  const sees = scopeTest(scope);
  return {
    looks: rows.length,
    sequences: rows.filter(({ producer }) => sees(producer)).map(({ created_sequence }) => created_sequence),
    reached: rows.length < size ? null : rows.at(-1)!.created_sequence,
  };
}

async function gather(
  database: Kysely<Schema>,
  { filters, stretch }: FindReadable,
  producers: readonly string[],
  { after, before }: { readonly after: number; readonly before: number },
): Promise<Step> {
  const entries: number[] = [];
  for (let start = 0; start < producers.length; start += atOnce) {
    const rows = await database
      .selectFrom('artifact_packages')
      .select('created_sequence')
      .where('producer', 'in', producers.slice(start, start + atOnce))
      .where('created_sequence', '>', after)
      .where('created_sequence', '<', before)
      .orderBy('created_sequence', 'desc')
      .limit(stepSize)
      .execute();
    for (const { created_sequence } of rows) entries.push(created_sequence);
  }
  entries.sort((left, right) => right - left);
  // Beyond these a producer may have others that were left out.
  const looked = entries.slice(0, stepSize);
  const sequences: number[] = [];
  for (let start = 0; start < looked.length; start += atOnce) {
    const part = looked.slice(start, start + atOnce);
    const met = await meeting(database, filters, part);
    sequences.push(...part.filter((sequence) => met.has(sequence)));
  }
  const whole = entries.length < stepSize;
  const ended = whole && after <= (stretch.after ?? 0);
  return { looks: producers.length + looked.length, sequences, reached: ended ? null : whole ? after + 1 : looked.at(-1)! };
}

/** Whether the producers have fewer packages in all than one step looks at. */
async function areFew(database: Kysely<Schema>, producers: readonly string[], before: number): Promise<boolean> {
  let count = 0;
  for (let start = 0; start < producers.length && count < stepSize; start += atOnce) {
    const rows = await database
      .selectFrom('artifact_packages')
      .select('created_sequence')
      .where('producer', 'in', producers.slice(start, start + atOnce))
      .where('created_sequence', '<', before)
      .limit(stepSize)
      .execute();
    count += rows.length;
  }
  return count < stepSize;
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

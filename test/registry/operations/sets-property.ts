import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Database, Outcome } from '../../../src/database/DATABASE.ts';
import { type OperationsWithSets, plainError, type RunSet } from '../operations-with-sets.ts';
import { type Known, type Step, steps } from './sets-steps.ts';

export type SetsDatabase = Database<OperationsWithSets>;

/**
 * Random inputs of one operation after the other, in two databases: in the first each step is one set, in the second
 * its inputs come one by one. Outcomes, events, views and what is kept beside them are the same, but for ids and times.
 * The codes of all outcomes. /
 */
export async function setsProperty(open: () => Promise<SetsDatabase>, runs: number): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  const property = fc.asyncProperty(fc.array(steps, { minLength: 3, maxLength: 14 }), async (sequence) => {
    const together = await play(await open(), sequence, runTogether);
    const oneByOne = await play(await open(), sequence, runOneByOne);
    assert.deepEqual(together, oneByOne);
    for (const { name, outcome } of together.outcomes) seen.add(`${name}: ${codeOf(outcome)}`);
  });
  const seed = process.env.ARTIFACTSTORE_TEST_SEED;
  await fc.assert(property, { numRuns: runs, endOnFailure: true, ...(seed === undefined ? {} : { seed: Number(seed) }) });
  return seen;
}

type Run = (database: SetsDatabase, set: RunSet) => Promise<readonly Outcome<unknown>[]>;

const runTogether: Run = (database, set) => database.write('test.set', set);

const runOneByOne: Run = async (database, { name, inputs }) => {
  const outcomes: Outcome<unknown>[] = [];
  for (const input of inputs)
    outcomes.push(
      await database.write(name, input as never).then(
        (output) => ({ output }),
        (error: unknown) => ({ error: plainError(error) }),
      ),
    );
  return outcomes;
};

interface Played {
  readonly outcomes: readonly { readonly name: string; readonly outcome: Outcome<unknown> }[];
  readonly dump: object;
}

async function play(database: SetsDatabase, sequence: readonly Step[], run: Run): Promise<Played> {
  try {
    const known: Known = { packages: [] };
    const outcomes: { name: string; outcome: Outcome<unknown> }[] = [];
    for (const step of sequence) {
      const set = step(known);
      for (const outcome of await run(database, set)) {
        outcomes.push({ name: set.name, outcome });
        if ('output' in outcome) await learn(database, known, set.name, outcome.output);
      }
    }
    const played = { outcomes, dump: await database.read('test.dump', null) };
    const { sequence: last } = await database.replay();
    assert.deepEqual(sorted(await database.read('test.dump', null)), sorted(played.dump), 'a replay gives the same');
    assert.equal(last, (played.dump as { readonly events: readonly unknown[] }).events.length);
    return unnamed(played);
  } finally {
    await database.close();
  }
}

/** Remembers what was made, and compares the record with what a read of it gives. */
async function learn(database: SetsDatabase, known: Known, name: RunSet['name'], output: unknown): Promise<void> {
  if (name !== 'package.create') return;
  const { record } = output as { readonly record: { readonly id: string } };
  if (known.packages.includes(record.id)) return;
  known.packages.push(record.id);
  assert.equal(JSON.stringify(record), JSON.stringify(await database.read('package.get', { id: record.id })));
}

function sorted(dump: object): object {
  return Object.fromEntries(Object.entries(dump).map(([table, rows]) => [table, (rows as object[]).map((row) => text(row)).sort()]));
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/g;

/** With ids by the order in which the log has them, and without times and what is made of both. */
function unnamed({ outcomes, dump }: Played): Played {
  const names = new Map<string, string>();
  const rename = (value: unknown): string =>
    text(value)
      .replace(uuid, (id) => {
        if (!names.has(id)) names.set(id, `id ${names.size}`);
        return names.get(id)!;
      })
      .replace(time, 'some time')
      .replace(/"manifest_digest":"[^"]+"/g, '"manifest_digest":"some digest"');
  const { events, ...tables } = dump as { readonly events: readonly object[] };
  const renamed = events.map((event) => JSON.parse(rename(event)) as object);
  const rows = Object.entries(tables).map(([table, each]) => [table, (each as unknown as object[]).map(rename).sort()]);
  return {
    outcomes: outcomes.map(({ name, outcome }) => ({ name, outcome: JSON.parse(rename(outcome)) as Outcome<unknown> })),
    dump: { events: renamed, ...Object.fromEntries(rows) },
  };
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => (each instanceof Uint8Array ? Buffer.from(each).toString('hex') : each));
}

function codeOf(outcome: Outcome<unknown>): string {
  return 'error' in outcome ? (outcome.error as { readonly code: string }).code : 'done';
}

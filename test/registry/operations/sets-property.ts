import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Database, Outcome, WriteOperation } from '../../../src/database/DATABASE.ts';
import type { Created, File, Package } from '../../../src/registry/REGISTRY.ts';
import { type OperationsWithSets, operations, plainError, type RunSet } from '../operations-with-sets.ts';
import { type Known, repairInASet, type Step, steps } from './sets-steps.ts';

export type SetsDatabase = Database<OperationsWithSets>;

/**
 * Random inputs of one operation after the other, in two databases: in the first each step is one set, in the second
 * its inputs come one by one. Outcomes, events, views and what is kept beside them are the same, but for ids and times.
 * The codes of all outcomes.
 */
export async function setsProperty(open: () => Promise<SetsDatabase>, runs: number): Promise<ReadonlySet<string>> {
  const seen = new Set<string>();
  await using together = await opened(open, runTogether);
  await using oneByOne = await opened(open, runOneByOne);
  let run = 0;
  const property = fc.asyncProperty(fc.array(steps, { minLength: 10, maxLength: 40 }), async (sequence) => {
    run += 1;
    const played = await play(together, run, sequence);
    assert.deepEqual(played, await play(oneByOne, run, sequence));
    for (const { name, outcome } of played.outcomes) seen.add(`${name}: ${codeOf(outcome)}`);
  });
  const seed = process.env.ARTIFACTSTORE_TEST_SEED;
  await fc.assert(property, {
    numRuns: runs,
    endOnFailure: true,
    examples: [[repairInASet()]],
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  });
  return seen;
}

interface Player extends AsyncDisposable {
  readonly database: SetsDatabase;
  readonly run: Run;
}

async function opened(open: () => Promise<SetsDatabase>, run: Run): Promise<Player> {
  const database = await open();
  return { database, run, [Symbol.asyncDispose]: () => database.close() };
}

type Run = (database: SetsDatabase, set: RunSet) => Promise<readonly Outcome<unknown>[]>;

const runTogether: Run = (database, set) => {
  const form = (operations.writes[set.name] as WriteOperation).set;
  return form === undefined ? runOneByOne(database, set) : database.write('test.set', set);
};

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

async function play({ database, run }: Player, number: number, sequence: readonly Step[]): Promise<Played> {
  const known: Known = { run: number, packages: [] };
  const outcomes: { name: string; outcome: Outcome<unknown> }[] = [];
  for (const step of sequence) {
    const set = step(known);
    for (const outcome of await run(database, set)) {
      outcomes.push({ name: set.name, outcome });
      if ('output' in outcome) await learn(database, known, set.name, outcome.output);
    }
  }
  const played = { outcomes, dump: await database.read('test.dump', null) };
  await database.replay();
  assert.deepEqual(sorted(await database.read('test.dump', null)), sorted(played.dump), 'a replay gives the same');
  return unnamed(played);
}

/** Remembers what was made, and compares a new record with what a read of it gives. */
async function learn(database: SetsDatabase, known: Known, name: RunSet['name'], output: unknown): Promise<void> {
  if (name === 'package.create') {
    const { record, created } = output as Created<Package>;
    if (created) known.packages.push(record.id);
    if (created) assert.equal(JSON.stringify(record), JSON.stringify(await database.read('package.get', { id: record.id })));
  }
  const items = name === 'file.attach' ? output : name === 'file.add' ? (output as { readonly items?: unknown }).items : undefined;
  for (const item of (items ?? []) as Partial<Created<File>>[]) {
    if (item.record === undefined || item.created !== true) continue;
    assert.equal(JSON.stringify(item.record), JSON.stringify(await database.read('file.get', { id: item.record.id })));
  }
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
      // Listed in the order of the ids, which of the same millisecond is random.
      .replace(/"location_ids":\[([^\]]*)\]/g, (_, ids: string) => `"location_ids":[${ids.split(',').sort().join()}]`)
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
  if ('error' in outcome) return (outcome.error as { readonly code: string }).code;
  return (outcome.output as { readonly outcome?: string } | undefined)?.outcome ?? 'done';
}

import { sql } from '#kysely';
import { lifeOf } from '../../src/database/conformance/life.ts';
import { operations as conformance } from '../../src/database/conformance/operations.ts';
import type { Snapshot, Transaction } from '../../src/database/DATABASE.ts';

/** Lets SQLite's file grow by so many pages and no further, as a full disk does; null lifts it. */
async function limitGrowth(transaction: Transaction, input: { readonly pages: number | null }): Promise<void> {
  const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(transaction.sql);
  const limit = input.pages === null ? 1_000_000_000 : rows[0]!.page_count + input.pages;
  await sql.raw(`pragma max_page_count = ${limit}`).execute(transaction.sql);
}

/** Ends the thread that it runs on, as a crash of it would. */
async function endThread(_transaction: Transaction, _input: null): Promise<never> {
  process.exit(1);
}

/** Ends its own session on the server. */
async function endSession(transaction: Transaction, _input: null): Promise<void> {
  await sql`select pg_terminate_backend(pg_backend_pid())`.execute(transaction.sql);
}

/** Gives what cannot go to another thread. */
async function giveFunction(_transaction: Transaction, _input: null): Promise<unknown> {
  return () => {};
}

/** The statements that the server keeps for the connection that writes. */
async function countKeptStatements(transaction: Transaction, _input: null): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from pg_prepared_statements`.execute(transaction.sql);
  return rows[0]!.count;
}

async function readSetting(transaction: Transaction, input: { readonly name: string }): Promise<readonly string[]> {
  const { rows } = await sql<{ value: string }>`select current_setting(${input.name}) as value`.execute(transaction.sql);
  return rows.map((row) => row.value);
}

/** Goes on after a statement that failed. */
async function swallowFailure(transaction: Transaction, _input: null): Promise<number> {
  await sql`select * from no_such_table`.execute(transaction.sql).catch(() => {});
  await conformance.writes.addPackages(transaction, { count: 1 });
  return 1;
}

/** Lives whose events come in turns, as those of writers do: `picks` says whose is next. */
async function liveTogether(
  transaction: Transaction,
  input: { readonly labels: readonly string[]; readonly picks: readonly number[] },
): Promise<void> {
  const lives = input.labels.map((label) => [...lifeOf(label, transaction)]);
  for (let turn = 0; lives.length > 0; turn++) {
    const index = input.picks[turn % input.picks.length]! % lives.length;
    transaction.append(lives[index]!.shift()!);
    if (lives[index]!.length === 0) lives.splice(index, 1);
  }
}

async function countEvents(snapshot: Snapshot, _input: null): Promise<number> {
  const { count } = await snapshot.sql
    .selectFrom('events')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Takes as long as it is told, in steps of SQLite that nothing interrupts. */
async function countSlowly(snapshot: Snapshot, input: { readonly steps: number }): Promise<number> {
  const { rows } = await sql<{ readonly count: number }>`
    with recursive steps (i) as (select 1 union all select i + 1 from steps where i < ${input.steps})
    select count(*) as count from steps`.execute(snapshot.sql);
  return Number(rows[0]!.count);
}

export const operations: {
  readonly writes: typeof conformance.writes & {
    readonly limitGrowth: typeof limitGrowth;
    readonly liveTogether: typeof liveTogether;
    readonly endThread: typeof endThread;
    readonly giveFunction: typeof giveFunction;
    readonly endSession: typeof endSession;
    readonly countKeptStatements: typeof countKeptStatements;
    readonly readSetting: typeof readSetting;
    readonly swallowFailure: typeof swallowFailure;
  };
  readonly reads: typeof conformance.reads & { readonly countEvents: typeof countEvents; readonly countSlowly: typeof countSlowly };
} = {
  writes: {
    ...conformance.writes,
    limitGrowth,
    liveTogether,
    endThread,
    giveFunction,
    endSession,
    countKeptStatements,
    readSetting,
    swallowFailure,
  },
  reads: { ...conformance.reads, countEvents, countSlowly },
};

export type FaultOperations = typeof operations;

export const faultOperationsUrl: URL = new URL(import.meta.url);

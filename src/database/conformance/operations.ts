import { blake3, utf8 } from '../../kernel/content/digest.ts';
import { ArtifactstoreError, type ErrorCode } from '../../kernel/error.ts';
import type { NewEvent, StoredEvent } from '../../kernel/log/event.ts';
import { type ViewTable, viewKeys } from '../../kernel/views/view.ts';
import { viewTables } from '../columns.ts';
import type { Snapshot, Transaction } from '../DATABASE.ts';
import { actor, packageCreated } from './events.ts';
import { lifeOf } from './life.ts';
import { claimKey } from './set-operations.ts';

/** Adds `count` packages, one event each, with metadata of about `metadataLength` characters; their sequences. */
async function addPackages(
  transaction: Transaction,
  input: { readonly count: number; readonly metadataLength?: number },
): Promise<number[]> {
  const metadata = { note: 'n'.repeat(input.metadataLength ?? 4) };
  return Array.from({ length: input.count }, () => transaction.append(packageCreated(transaction.newId(), 'nnnn', metadata)));
}

/** Adds events, and then does not succeed. */
async function failAfter(
  transaction: Transaction,
  input: { readonly code: ErrorCode | 'unknown_error' | 'bad_sql'; readonly flush: boolean; readonly field: string; readonly info: object },
): Promise<never> {
  await addPackages(transaction, { count: 3 });
  if (input.flush) await transaction.flush();
  await transaction.sql.insertInto('leases').values({ name: transaction.newId(), holder: actor, expires_at: transaction.now }).execute();
  if (input.code === 'unknown_error') throw new Error('something that callers must not see');
  if (input.code === 'bad_sql')
    await transaction.sql
      .insertInto('log_head')
      .values({ id: 1, sequence: 0, chain_digest: blake3(utf8('')) })
      .execute();
  throw new ArtifactstoreError(input.code as ErrorCode, 'It failed as it was asked to.', {
    field: input.field,
    info: input.info as Record<string, unknown>,
  });
}

/** What the transaction sees of its own events before and after `flush`. */
async function appendAndLook(transaction: Transaction, _input: null): Promise<{ readonly before: number; readonly after: number }> {
  const id = transaction.newId();
  transaction.append(packageCreated(id, 'seen'));
  const count = async (): Promise<number> =>
    (await transaction.sql.selectFrom('artifact_packages').select('id').where('id', '=', id).execute()).length;
  const before = await count();
  await transaction.flush();
  return { before, after: await count() };
}

/** Takes a name that only one operation can have: what one decides, the next must see. */
async function claim(transaction: Transaction, input: { readonly name: string }): Promise<boolean> {
  const found = await transaction.sql.selectFrom('leases').select('name').where('name', '=', input.name).executeTakeFirst();
  if (found !== undefined) return false;
  await transaction.sql.insertInto('leases').values({ name: input.name, holder: actor, expires_at: transaction.now }).execute();
  transaction.append(packageCreated(transaction.newId(), input.name));
  return true;
}

async function keepBytes(
  transaction: Transaction,
  input: { readonly name: string; readonly bytes: Uint8Array },
): Promise<{ readonly bytes: Uint8Array; readonly deep: { readonly list: readonly (number | null)[] } }> {
  await transaction.sql
    .insertInto('block_digests')
    .values({ content_address: input.name, block_bytes: input.bytes.length, digests: input.bytes })
    .execute();
  return { bytes: input.bytes, deep: { list: [1, null] } };
}

/** Every type of event. */
async function liveALife(transaction: Transaction, input: { readonly label: string; readonly flushEach: boolean }): Promise<number> {
  let last = 0;
  for (const step of lifeOf(input.label, transaction)) {
    last = transaction.append(step);
    if (input.flushEach) await transaction.flush();
  }
  return last;
}

/** An event of a type that no view knows, as a later version could have written it. */
async function addUnknownEvent(transaction: Transaction, _input: null): Promise<number> {
  return transaction.append({
    event_type: 'v9.something.happened',
    subject_kind: 'package',
    subject_id: 'x',
    actor,
    payload: {},
  } as unknown as NewEvent);
}

async function changeEvents(transaction: Transaction, input: { readonly how: 'update' | 'delete' }): Promise<void> {
  if (input.how === 'update')
    await transaction.sql.updateTable('events').set({ actor: 'somebody else' }).where('sequence', '=', 1).execute();
  else await transaction.sql.deleteFrom('events').where('sequence', '=', 1).execute();
}

async function readEvents(snapshot: Snapshot, input: { readonly after: number; readonly limit: number }): Promise<StoredEvent[]> {
  const rows = await snapshot.sql
    .selectFrom('events')
    .selectAll()
    .where('sequence', '>', input.after)
    .orderBy('sequence')
    .limit(input.limit)
    .execute();
  return rows as unknown as StoredEvent[];
}

/** All rows of all views, each in the order of its key. */
async function dumpViews(snapshot: Snapshot, _input: null): Promise<Record<string, readonly object[]>> {
  const dump: Record<string, readonly object[]> = {};
  for (const table of viewTables) dump[table] = await dumpTable(snapshot, table);
  return dump;
}

async function dumpTable(snapshot: Snapshot, table: ViewTable): Promise<readonly object[]> {
  let query = snapshot.sql.selectFrom(table).selectAll();
  for (const column of viewKeys[table]) query = query.orderBy(column as never);
  return query.execute();
}

/** Counts the log, waits, and counts again. */
async function countTwice(snapshot: Snapshot, input: { readonly milliseconds: number }): Promise<readonly number[]> {
  const count = async (): Promise<number> =>
    (
      await snapshot.sql
        .selectFrom('events')
        .select((of) => of.fn.countAll<number>().as('n'))
        .executeTakeFirstOrThrow()
    ).n;
  const before = await count();
  await new Promise((resolve) => setTimeout(resolve, input.milliseconds));
  return [before, await count()];
}

async function countLeases(snapshot: Snapshot, _input: null): Promise<number> {
  return (await snapshot.sql.selectFrom('leases').select('name').execute()).length;
}

async function readRegistry(snapshot: Snapshot, _input: null): Promise<readonly object[]> {
  return snapshot.sql.selectFrom('registry').selectAll().execute();
}

async function readBytes(snapshot: Snapshot, input: { readonly name: string }): Promise<Uint8Array | undefined> {
  const row = await snapshot.sql.selectFrom('block_digests').select('digests').where('content_address', '=', input.name).executeTakeFirst();
  return row?.digests;
}

async function sortText(snapshot: Snapshot, _input: null): Promise<readonly string[]> {
  return (await snapshot.sql.selectFrom('leases').select('name').orderBy('name').execute()).map((row) => row.name);
}

async function failReading(snapshot: Snapshot, input: { readonly how: 'known' | 'bad_sql' }): Promise<never> {
  if (input.how === 'bad_sql')
    await snapshot.sql
      .selectFrom('no_such_table' as never)
      .selectAll()
      .execute();
  throw new ArtifactstoreError('package_not_found', 'There is no such package.', { field: 'id', info: { id: 'x' } });
}

/** The operations that the conformance suite runs: every type of event, and every way to fail. */
export const operations: {
  readonly writes: {
    readonly addPackages: typeof addPackages;
    readonly addUnknownEvent: typeof addUnknownEvent;
    readonly appendAndLook: typeof appendAndLook;
    readonly changeEvents: typeof changeEvents;
    readonly claim: typeof claim;
    readonly claimKey: typeof claimKey;
    readonly failAfter: typeof failAfter;
    readonly keepBytes: typeof keepBytes;
    readonly liveALife: typeof liveALife;
  };
  readonly reads: {
    readonly countLeases: typeof countLeases;
    readonly countTwice: typeof countTwice;
    readonly dumpViews: typeof dumpViews;
    readonly failReading: typeof failReading;
    readonly readBytes: typeof readBytes;
    readonly readEvents: typeof readEvents;
    readonly readRegistry: typeof readRegistry;
    readonly sortText: typeof sortText;
  };
} = {
  writes: { addPackages, addUnknownEvent, appendAndLook, changeEvents, claim, claimKey, failAfter, keepBytes, liveALife },
  reads: { countLeases, countTwice, dumpViews, failReading, readBytes, readEvents, readRegistry, sortText },
};

export type ConformanceOperations = typeof operations;

export const conformanceOperationsUrl: URL = new URL(import.meta.url);

import { sql } from '#kysely';
import { fromHex } from '../kernel/content/digest.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { StoredEvent } from '../kernel/log/event.ts';
import { fold } from '../kernel/views/fold.ts';
import { createRowChanges } from './row-changes.ts';
import type { ConfigurationTables, OperationalTables } from './schema.ts';
import type { LogSession } from './transaction.ts';

/** What an empty database is filled with: a whole registry's log, and the operational rows that are worth keeping. */
export interface LogSource {
  readonly registry: ConfigurationTables['registry'];
  /** `chain_digest` as `blake3:<hex>`. */
  readonly head: { readonly sequence: number; readonly chain_digest: string };
  /** All up to the head, in order; their chain is checked by whoever gives them. */
  events(): AsyncIterable<readonly StoredEvent[]>;
  idempotencyKeys(): AsyncIterable<readonly OperationalTables['idempotency_keys'][]>;
  readonly blockDigests: readonly OperationalTables['block_digests'][];
}

/** A database that is to be filled from a copy, opened by nobody. */
export interface RestoreTarget {
  /** Throws `target_in_use` where the database has a log, or is something else's. Makes nothing. */
  requireEmpty(): Promise<void>;
  /**
   * Makes the schema and everything in it in one transaction: the database stays empty, or holds the whole registry.
   */
  fill(source: LogSource): Promise<void>;
}

const rowsPerStatement = 500;

/** Throws `target_in_use` where the database has a log already, or a server at work. Its tables are there. */
export async function requireNoLog({ sql: queries }: Pick<LogSession, 'sql'>, now: string): Promise<void> {
  const event = await queries.selectFrom('events').select('sequence').limit(1).executeTakeFirst();
  if (event !== undefined) throw inUse('it has a log of events already');
  const lease = await queries.selectFrom('leases').select('holder').where('expires_at', '>', now).executeTakeFirst();
  if (lease !== undefined) throw inUse('a server is using it');
}

export function inUse(what: string): ArtifactstoreError {
  return new ArtifactstoreError('target_in_use', `The database is not empty: ${what}. Nothing was changed.`, {
    info: { hint: 'stop every server, and name a database in ARTIFACTSTORE_DATABASE_URL that is new or empty' },
  });
}

/** Writes log, views and head into tables that are there and empty, inside the caller's transaction. */
export async function fillLog(session: LogSession, source: LogSource): Promise<void> {
  const queries = session.sql;
  const { format_version } = await queries.selectFrom('registry').select('format_version').executeTakeFirstOrThrow();
  if (source.registry.format_version !== format_version)
    throw new ArtifactstoreError(
      'invalid_value',
      `The copy has format ${source.registry.format_version}; this version has ${format_version}.`,
    );
  await queries.deleteFrom('registry').execute();
  await queries.insertInto('registry').values(source.registry).execute();
  for await (const events of source.events()) {
    const changes = createRowChanges();
    for (const event of events) for (const change of fold(event)) changes.add(change);
    await session.write(events, changes);
  }
  const { sequence, chain_digest } = source.head;
  await queries
    .updateTable('log_head')
    .set({ sequence, chain_digest: fromHex(chain_digest.slice('blake3:'.length))! })
    .where('id', '=', 1)
    .execute();
  for await (const rows of source.idempotencyKeys()) await insert(session, 'idempotency_keys', rows);
  // Keys may have been copied after the log's head.
  await sql`delete from idempotency_keys where package_id not in (select id from artifact_packages)`.execute(queries);
  await insert(session, 'block_digests', source.blockDigests);
}

async function insert<T extends 'idempotency_keys' | 'block_digests'>(
  { sql: queries }: LogSession,
  table: T,
  rows: readonly OperationalTables[T][],
): Promise<void> {
  for (let start = 0; start < rows.length; start += rowsPerStatement)
    await queries
      .insertInto(table)
      .values(rows.slice(start, start + rowsPerStatement) as never)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
}

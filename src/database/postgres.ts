import { Pool, type PoolClient } from 'pg';
import type { LogHead } from '../kernel/event.ts';
import type { Database, Operations, OperationsModule, Snapshot } from './DATABASE.ts';
import { createEventWaiters } from './event-waiters.ts';
import { asArtifactstoreError, databaseUnavailable, lostHead } from './failure.ts';
import { createPostgresCommitter } from './postgres-committer.ts';
import { clientConfig, connect, type PostgresConnection } from './postgres-connection.ts';
import { postgresQueries } from './postgres-dialect.ts';
import { endsSession, serverFault, unreachable } from './postgres-error.ts';
import { createPostgresListener } from './postgres-listener.ts';
import { exclude, migrateSchema, requireSchema } from './postgres-schema.ts';
import { postgresSession } from './postgres-session.ts';
import { makeMissingIndexes, makeMissingTables, requireTables } from './rebuild.ts';
import { type Replayed, replayLog } from './replay.ts';

export interface PostgresOptions {
  /** `postgresql://…`; it may hold a password, and is never shown. */
  readonly connectionString: string;
  readonly operations: OperationsModule;
  /** Brings the schema up to date before the first operation. */
  readonly migrate?: boolean;
}

type Reading<R> = (connection: PostgresConnection, snapshot: Snapshot) => Promise<R>;

const readingConnections = 10;
const idleMilliseconds = 30_000;
/** Commits of other processes are told by NOTIFY; asking, too, makes up for a connection that was lost meanwhile. */
const pollMilliseconds = 1_000;

/** The shared database. A server that cannot be reached is each operation's error, not this one's, unless `migrate` is asked for. */
export async function openPostgres<O extends Operations = Operations>(options: PostgresOptions): Promise<Database<O>> {
  const { connectionString } = options;
  const { operations } = (await import(options.operations.url.href)) as { readonly operations?: Operations };
  if (operations === undefined) throw new TypeError(`${options.operations.url.href} exports no "operations"`);
  if (options.migrate === true) await translated(() => migrateSchema(connectionString));

  const pool = new Pool({
    ...clientConfig(connectionString),
    max: readingConnections,
    idleTimeoutMillis: idleMilliseconds,
    allowExitOnIdle: true,
  });
  // An idle connection that ends leaves the pool by itself; one in use fails its queries, too.
  pool.on('error', () => {});
  const lost = new WeakSet<PoolClient>();
  pool.on('connect', (client) => {
    client.on('error', () => lost.add(client));
  });
  let migrated = false;
  let closed = false;

  const readOnce = async <R>(body: Reading<R>): Promise<{ readonly result: R } | { readonly lost: unknown }> => {
    const client = await pool.connect().catch((error: unknown) => {
      throw closed ? databaseUnavailable('The database is closed.') : unreachable(error);
    });
    let gone = false;
    try {
      if (!migrated) await requireSchema(client);
      migrated = true;
      return { result: await inSnapshot(client, body) };
    } catch (error) {
      gone = lost.has(client) || endsSession(error);
      if (!gone) throw error;
      return { lost: error };
    } finally {
      client.release(gone);
    }
  };

  const read = <R>(body: Reading<R>): Promise<R> =>
    translated(async () => {
      // The pool may hold connections that died with a server; reading again does no harm.
      for (let attempt = 0; ; attempt++) {
        const outcome = await readOnce(body);
        if ('result' in outcome) return outcome.result;
        if (attempt >= readingConnections) throw unreachable(outcome.lost);
      }
    });

  const waiters = createEventWaiters(() => read(lastSequence), pollMilliseconds);
  const committer = createPostgresCommitter({ connectionString, operations, onCommit: waiters.reached });
  const listener = createPostgresListener(connectionString, waiters.reached);

  return {
    async write(name, input) {
      return (await committer.write(name, input)) as never;
    },
    async read(name, input) {
      const operation = operations.reads[name];
      const reading: Reading<unknown> = async (_, snapshot) => {
        if (operation === undefined) throw new TypeError(`no reading operation is named ${name}`);
        return operation(snapshot, input as never);
      };
      return (await read(reading)) as never;
    },
    clock: () => read(serverTime),
    async waitForEvents(since, milliseconds, signal) {
      if (milliseconds > 0) await listener.listen();
      return waiters.wait(since, milliseconds, signal);
    },
    replay: (onProgress) => translated(() => replay(connectionString, onProgress)),
    migrate: () => translated(() => migrateSchema(connectionString)),
    async health() {
      try {
        return { healthy: true, migrated: true, detail: `postgresql ${await read(intactVersion)}` };
      } catch (error) {
        const failure = asArtifactstoreError(error);
        return { healthy: false, migrated: failure.code !== 'database_not_migrated', detail: failure.message };
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      waiters.close();
      await Promise.all([committer.close(), listener.close(), pool.end()]);
    },
  };
}

async function translated<R>(body: () => Promise<R>): Promise<R> {
  try {
    return await body();
  } catch (error) {
    throw serverFault(error) ?? asArtifactstoreError(error);
  }
}

async function inSnapshot<R>(client: PoolClient, body: Reading<R>): Promise<R> {
  // Not waited for: the first query of the body travels with it.
  const begun = client.query('begin isolation level repeatable read read only');
  begun.catch(() => {});
  try {
    const result = await body(client, { sql: postgresQueries(client) });
    await begun;
    return result;
  } finally {
    await client.query('rollback');
  }
}

async function lastSequence(connection: PostgresConnection): Promise<number> {
  const { rows } = await connection.query('select sequence from log_head where id = 1');
  const head = rows[0] as { readonly sequence: number } | undefined;
  if (head === undefined) throw lostHead();
  return head.sequence;
}

async function serverTime(connection: PostgresConnection): Promise<number> {
  const { rows } = await connection.query('select extract(epoch from clock_timestamp())::float8 as seconds');
  return (rows[0] as { readonly seconds: number }).seconds * 1000;
}

/** Of the server, when the database has all that it should have. */
async function intactVersion(connection: PostgresConnection): Promise<string> {
  const tables = await connection.query("select relname from pg_class where relkind in ('r', 'p') and pg_table_is_visible(oid)");
  requireTables((tables.rows as { readonly relname: string }[]).map(({ relname }) => relname));
  await lastSequence(connection);
  const { rows } = await connection.query("select current_setting('server_version') as version");
  return (rows[0] as { readonly version: string }).version;
}

async function replay(connectionString: string, onProgress?: (done: number, total: number) => void): Promise<Replayed> {
  const { client, close } = await connect(connectionString);
  try {
    await requireSchema(client);
    await client.query('begin isolation level read committed');
    await client.query('set local synchronous_commit = on');
    await exclude(client);
    const session = postgresSession(client);
    await makeMissingTables('postgres', session.sql);
    // The table and not its row, which may be what was lost: whoever appends asks for the row, and waits.
    await client.query('lock table log_head in exclusive mode');
    const { rows } = await client.query('select sequence, chain_digest from log_head where id = 1');
    const replayed = await replayLog(session, rows[0] as LogHead | undefined, onProgress);
    await makeMissingIndexes('postgres', session.sql);
    await client.query('commit');
    return replayed;
  } finally {
    await close();
  }
}

import type { Database, OpenOptions, Operations } from '../DATABASE.ts';
import { createEventWaiters } from '../event-waiters.ts';
import { asArtifactstoreError, databaseUnavailable, lostHead } from '../failure.ts';
import { requireTables } from '../rebuild.ts';
import type { Replayed } from '../replay.ts';
import { parsePostgresUrl } from './address.ts';
import { createPostgresCommitter } from './committer.ts';
import { connect, type PostgresConnection, type PostgresTarget } from './connection.ts';
import { serverFault, serverName, unreachable } from './error.ts';
import { createPostgresListener } from './listener.ts';
import { createPostgresReads, type Reading } from './reads.ts';
import { replayViews } from './replay.ts';
import { exclude, migrateSchema, requireSchema } from './schema.ts';

export interface PostgresOptions extends OpenOptions {
  /** `postgresql://…`; it may hold a password, and is never shown. */
  readonly connectionString: string;
}

/** Commits of other processes are told by NOTIFY; asking, too, finds what was missed while a connection was lost. */
const pollMilliseconds = 1_000;
const healthMilliseconds = 3_000;

/**
 * The shared database. A server that cannot be reached is each operation's error, not this one's, unless `migrate` is
 * asked for.
 */
export async function openPostgres<O extends Operations = Operations>(options: PostgresOptions): Promise<Database<O>> {
  const target: PostgresTarget = { url: options.connectionString, readOnly: options.readOnly === true };
  const address = parsePostgresUrl(target.url);
  const { operations } = (await import(options.operations.url.href)) as { readonly operations?: Operations };
  if (operations === undefined) throw new TypeError(`${options.operations.url.href} exports no "operations"`);
  const translated = async <R>(body: () => Promise<R>): Promise<R> => {
    try {
      return await body();
    } catch (error) {
      throw serverFault(error, address) ?? asArtifactstoreError(error);
    }
  };
  const toWrite = async <R>(body: () => Promise<R>): Promise<R> => {
    if (target.readOnly) throw databaseUnavailable('The database was opened to be read; nothing is written.');
    return await translated(body);
  };
  if (options.migrate === true) await toWrite(() => migrateSchema(target));

  /** What is lost says more than what cannot be written without it, whichever is known first. */
  const intactAndWritable = async (): Promise<string> => {
    const [version, writable] = await Promise.allSettled([read(intactVersion), target.readOnly ? undefined : committer.check()]);
    if (version.status === 'rejected') throw version.reason;
    if (writable.status === 'rejected') throw writable.reason;
    return version.value;
  };

  let closed = false;
  const reads = createPostgresReads(target);
  const read = <R>(body: Reading<R>): Promise<R> => translated(() => reads.read(body));
  const waiters = createEventWaiters(() => read(lastSequence), pollMilliseconds);
  const committer = createPostgresCommitter({
    target,
    operations,
    onCommit: (sequence) => {
      reads.acknowledged(sequence);
      waiters.reached(sequence);
    },
  });
  const listener = createPostgresListener(target, waiters.reached);

  return {
    async write(name, input) {
      return (await toWrite(() => committer.write(name, input))) as never;
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
    replay: (onProgress) => toWrite(() => replay(target, onProgress)),
    migrate: () => toWrite(() => migrateSchema(target)),
    async health() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        const silent = databaseUnavailable(`${serverName(address)} does not answer within ${healthMilliseconds / 1_000} seconds.`);
        timer = setTimeout(() => reject(silent), healthMilliseconds);
      });
      try {
        const version = await Promise.race([intactAndWritable(), late]);
        return { healthy: true, migrated: true, detail: `postgresql ${version}` };
      } catch (error) {
        const failure = asArtifactstoreError(error);
        return { healthy: false, migrated: failure.code !== 'database_not_migrated', detail: failure.message };
      } finally {
        clearTimeout(timer);
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      waiters.close();
      await Promise.all([committer.close(), listener.close(), reads.close()]);
    },
  };
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
  const tables = await connection.query(
    "select relname from pg_class where relkind in ('r', 'p') and pg_table_is_visible(oid) union all " +
      "select tgname from pg_trigger where not tgisinternal and tgenabled in ('O', 'A') and pg_table_is_visible(tgrelid)",
  );
  requireTables((tables.rows as { readonly relname: string }[]).map(({ relname }) => relname));
  await lastSequence(connection);
  const { rows } = await connection.query("select current_setting('server_version') as version");
  return (rows[0] as { readonly version: string }).version;
}

async function replay(target: PostgresTarget, onProgress?: (done: number, total: number) => void): Promise<Replayed> {
  const connection = await connect(target);
  try {
    await requireSchema(connection, target);
    await connection.query('begin isolation level read committed');
    await connection.query('set local synchronous_commit = on');
    await exclude(connection);
    const replayed = await replayViews(connection, onProgress);
    await connection.query('commit');
    return replayed;
  } catch (error) {
    throw connection.isLost() ? unreachable(error, parsePostgresUrl(target.url)) : error;
  } finally {
    await connection.close();
  }
}

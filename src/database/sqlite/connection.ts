import { existsSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { isBusy } from './error.ts';

export type SqlValue = string | number | bigint | Uint8Array | null;

/** One connection to a SQLite file, with its prepared statements kept. */
export interface SqliteConnection {
  readonly database: DatabaseSync;
  /** A prepared statement, from the cache or into it. */
  prepare(sql: string): StatementSync;
  /** The same, but kept apart from it: its rows are arrays. */
  prepareArrays(sql: string): StatementSync;
  /** Forgets the prepared statements: some of them stand in the way of dropping an index. */
  forget(): void;
  /** Keeps 16 MiB of the file's pages in memory while whole tables are written; otherwise 4 MiB. */
  keepMore(more: boolean): void;
  close(): void;
}

const keptStatements = 256;
/**
 * Each connection keeps its own pages, beside the system that keeps those of the file; those of a connection that reads
 * are gone with every commit of another.
 */
const keptPages = 'pragma cache_size = -4096';
const keptPagesInBulk = 'pragma cache_size = -16384';
/**
 * With so many pages the write-ahead log is copied into the file, in a commit that takes ten times as long for it. What
 * is written again meanwhile, such as the pages of an index, is copied once. A log of 64 MiB, which is what is kept.
 */
const checkpointPages = 16_000;
const keptLogBytes = 64 * 1024 * 1024;

/**
 * Opens the file, and makes it when it is not there and `readOnly` is false. `busyMilliseconds` is how long a statement
 * waits for another connection's lock. `immutable` promises that nobody writes: no lock is taken and no file made.
 */
export function openConnection(
  path: string,
  options: { readonly readOnly: boolean; readonly immutable?: boolean; readonly busyMilliseconds: number },
): SqliteConnection {
  const database = new DatabaseSync(options.immutable === true ? immutableUrl(path) : path, {
    readOnly: options.readOnly,
    enableForeignKeyConstraints: false,
    timeout: options.busyMilliseconds,
  });
  const statements = new Map<string, StatementSync>();
  const withArrays = new Map<string, StatementSync>();
  const keep = (kept: Map<string, StatementSync>, sql: string): StatementSync => {
    let statement = kept.get(sql);
    if (statement !== undefined) {
      kept.delete(sql);
    } else {
      statement = database.prepare(sql);
      if (kept === withArrays) statement.setReturnArrays(true);
      if (kept.size >= keptStatements) kept.delete(kept.keys().next().value!);
    }
    kept.set(sql, statement);
    return statement;
  };
  try {
    if (!options.readOnly) {
      useWriteAheadLog(database, options.busyMilliseconds);
      // A commit is acknowledged: FULL fsyncs the write-ahead log at every commit.
      database.exec(
        `pragma synchronous = full; pragma wal_autocheckpoint = ${checkpointPages}; pragma journal_size_limit = ${keptLogBytes}`,
      );
    }
    // What a savepoint may have to put back is kept in memory: in a file it is most of the writing there is.
    database.exec(`${keptPages}; pragma mmap_size = 0; pragma temp_store = memory`);
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    database,
    prepare: (sql) => keep(statements, sql),
    prepareArrays: (sql) => keep(withArrays, sql),
    forget() {
      statements.clear();
      withArrays.clear();
    },
    keepMore(more) {
      database.exec(more ? keptPagesInBulk : keptPages);
    },
    close() {
      statements.clear();
      withArrays.clear();
      if (database.isOpen) database.close();
    },
  };
}

/**
 * Puts a file back to what it was before a write that was cut off, as whoever opens it to write does. Until then nobody
 * can open it to read. A new file is in that state when its process is killed while it changes over to the write-ahead
 * log.
 */
export function rollBack(path: string, busyMilliseconds: number): void {
  if (!existsSync(journalOf(path))) return;
  const database = new DatabaseSync(path, { timeout: busyMilliseconds });
  try {
    database.prepare('select count(*) from sqlite_schema').get();
  } finally {
    database.close();
  }
}

/** Where SQLite keeps what a write replaces, in a file that has no write-ahead log. */
export function journalOf(path: string): string {
  return `${path}-journal`;
}

function immutableUrl(path: string): URL {
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  return url;
}

/**
 * A new file changes over to the write-ahead log once, which needs it alone; SQLite does not wait for that by itself,
 * so whoever looks at the file at that moment would make opening it fail. Runs on a thread of its own and may sleep.
 */
function useWriteAheadLog(database: DatabaseSync, busyMilliseconds: number): void {
  const deadline = performance.now() + busyMilliseconds;
  for (;;) {
    try {
      database.exec('pragma journal_mode = wal');
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMilliseconds);
    }
  }
}

const retryMilliseconds = 10;

import { type BigIntStats, statSync } from 'node:fs';
import { databaseUnavailable } from '../failure.ts';
import { journalOf, openConnection, type SqliteConnection } from './connection.ts';
import { isCutOff, sqliteResult } from './error.ts';

/** A connection that makes no file, where that can be had. */
export interface ReadOnlyFile {
  readonly connection: SqliteConnection;
  /** False once another process has opened or changed the file: what was read since this was last true may be torn. */
  isUndisturbed(): boolean;
}

/**
 * Opens a database to be read and leaves its folder as it is. Without a write-ahead log nobody has it open, and SQLite
 * is told that the file does not change: it then takes no lock and needs no file beside it, so that read-only media
 * will do. With a log the last events are in the log, and SQLite needs its index (`-shm`), which it makes where it is
 * not there.
 */
export function openReadOnly(path: string, busyMilliseconds: number): ReadOnlyFile {
  const before = stateOf(path);
  if (before.atRest)
    return {
      connection: openConnection(path, { readOnly: true, immutable: true, busyMilliseconds }),
      isUndisturbed: () => stateOf(path).mark === before.mark,
    };
  try {
    return { connection: openConnection(path, { readOnly: true, busyMilliseconds }), isUndisturbed: () => true };
  } catch (error) {
    if (isCutOff(error) || !needsIndex(error)) throw error;
    throw databaseUnavailable(
      `The last events of ${path} are in ${path}-wal, which cannot be read ` +
        'in a folder that cannot be written to: copy both to one that can.',
      error,
    );
  }
}

interface FileState {
  /** Nobody has it open, as far as the files tell. */
  readonly atRest: boolean;
  /** Changes whenever somebody opens the file or writes to it. */
  readonly mark: string;
}

function stateOf(path: string): FileState {
  const file = statSync(path, { bigint: true, throwIfNoEntry: false });
  const log = statSync(`${path}-wal`, { bigint: true, throwIfNoEntry: false });
  const journal = statSync(journalOf(path), { bigint: true, throwIfNoEntry: false });
  const told = (found: BigIntStats | undefined): string => (found === undefined ? '' : `${found.ino} ${found.size} ${found.mtimeNs}`);
  return { atRest: isEmpty(log) && isEmpty(journal), mark: `${told(file)}, ${told(log)}, ${told(journal)}` };
}

function isEmpty(file: BigIntStats | undefined): boolean {
  return file === undefined || file.size === 0n;
}

/** SQLite can't open the index of the log, or make it. */
function needsIndex(error: unknown): boolean {
  const code = sqliteResult(error);
  return code === sqliteCannotOpen || code === sqliteReadOnly;
}

const sqliteCannotOpen = 14;
const sqliteReadOnly = 8;

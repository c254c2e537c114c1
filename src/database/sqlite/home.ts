import { statSync } from 'node:fs';
import { databaseUnavailable } from '../failure.ts';

/**
 * The files that a connection has open, against those that have their names now. SQLite itself writes to deleted files
 * without an error.
 */
export interface OpenFiles {
  /** Throws `database_unavailable` when the files with these names are not the ones that are open. */
  check(): void;
  /**
   * Whether the database is where it was and its log is not: what was committed lately is then in a file without a
   * name.
   */
  isLogLost(): boolean;
}

/**
 * `home` is the file that the database was when this process first had it: a connection that is opened again must find
 * the same, and not another that was put in its place.
 */
export function rememberFiles(path: string, home: string | undefined): OpenFiles {
  const beside = new Map([`${path}-wal`, `${path}-shm`].map((name) => [name, fileOf(name)]));
  const lost = (): string | undefined => [...beside].find(([name, known]) => known !== fileOf(name))?.[0];
  return {
    check() {
      requireHome(path, home);
      const name = lost();
      if (name !== undefined)
        throw databaseUnavailable(
          `The file ${name} was deleted or replaced while it was open. Nothing was written; restart every process that uses the database.`,
        );
    },
    isLogLost: () => home === fileOf(path) && lost() !== undefined,
  };
}

/**
 * Throws `database_unavailable` when the database is not the file that it was: the files beside it come and go with
 * whoever opens it.
 */
export function requireHome(path: string, home: string | undefined): void {
  if (home !== fileOf(path))
    throw databaseUnavailable(
      `The database file ${path} was deleted or replaced while it was open. ` +
        'Nothing was written; put the file back, or restart on the file that is right.',
    );
}

/** Which file has this name; undefined when none has. */
export function fileOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev} ${found.ino}`;
}

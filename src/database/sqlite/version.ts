import { existsSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

export interface SqliteVersion {
  /** See `Database.version`. */
  read(): number | undefined;
  close(): void;
}

/**
 * A connection on the calling thread that does nothing but look whether others have committed. SQLite keeps that in
 * memory which the connections share, so a look costs about two microseconds and waits for no disk and no lock: with a
 * busy file it is not known.
 */
export function openSqliteVersion(path: string): SqliteVersion {
  let connection: DatabaseSync | undefined;
  let statement: StatementSync | undefined;
  let closed = false;
  return {
    read() {
      if (closed) return undefined;
      try {
        if (statement === undefined) {
          if (!existsSync(path)) return undefined;
          connection = new DatabaseSync(path, { readOnly: true, timeout: 0 });
          connection.exec('pragma cache_size = 2');
          // This connection never writes: whatever changes the number is somebody else's commit.
          statement = connection.prepare('pragma data_version');
        }
        return statement.get()?.data_version as number | undefined;
      } catch {
        // Whatever is wrong with the file, the read that follows says it.
        return undefined;
      }
    },
    close() {
      closed = true;
      statement = undefined;
      connection?.close();
      connection = undefined;
    },
  };
}

import { existsSync } from 'node:fs';
import { systemClock } from '../clock.ts';
import { asArtifactstoreError } from '../failure.ts';
import { fillLog, inUse, type RestoreTarget, requireNoLog } from '../fill.ts';
import { applyMigrations } from '../migrations/migrations.ts';
import { openConnection, type SqliteConnection } from './connection.ts';
import { sqliteQueries } from './dialect.ts';
import { storageFault } from './error.ts';
import { makeFile } from './file.ts';
import { inBulk } from './replay.ts';
import { sqliteSession } from './session.ts';

const busyMilliseconds = 5_000;

/** Works in the calling thread: nothing else runs beside a restore. */
export function sqliteTarget(path: string): RestoreTarget {
  async function requireEmpty(connection: SqliteConnection): Promise<void> {
    const tables = connection.prepare("select name from sqlite_schema where type = 'table'").all();
    if (tables.length === 0) return;
    if (!tables.some(({ name }) => name === 'schema_migrations')) throw inUse(`${path} has tables that are not artifactstore's`);
    await requireNoLog({ sql: sqliteQueries(connection) }, systemClock.now());
  }

  return {
    async requireEmpty() {
      const beside = [`${path}-wal`, `${path}-shm`].find((other) => existsSync(other));
      if (!existsSync(path)) {
        if (beside === undefined) return;
        throw inUse(`${beside} of another file lies there; remove it`);
      }
      await within(path, true, requireEmpty);
    },
    async fill(source) {
      makeFile(path);
      await within(path, false, async (connection) => {
        // Sorting whole indexes is for a file.
        connection.database.exec('pragma temp_store = file; begin immediate');
        await requireEmpty(connection);
        await applyMigrations('sqlite', sqliteQueries(connection), systemClock);
        connection.forget();
        await inBulk(connection, () => fillLog(sqliteSession(connection), source));
        connection.forget();
        connection.database.exec('commit');
      });
    },
  };
}

async function within(path: string, readOnly: boolean, body: (connection: SqliteConnection) => Promise<void>): Promise<void> {
  let connection: SqliteConnection | undefined;
  try {
    connection = openConnection(path, { readOnly, busyMilliseconds });
    await body(connection);
  } catch (error) {
    throw storageFault(error, path) ?? asArtifactstoreError(error);
  } finally {
    connection?.close();
  }
}

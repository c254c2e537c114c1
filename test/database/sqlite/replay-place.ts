import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqlite } from '../../../src/database/sqlite/sqlite.ts';
import { type FaultOperations, faultOperationsUrl } from '../fault-operations.ts';
import type { Damageable } from '../replay-cases.ts';

/** A new SQLite database with operations that may be told to fail, closed and removed in the end. */
export async function withDatabase(body: (place: Damageable) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-replay-'));
  const path = join(folder, 'registry.db');
  const database = await openSqlite<FaultOperations>({ path, operations: { url: faultOperationsUrl }, migrate: true });
  try {
    await body({
      database,
      target: { kind: 'sqlite', path },
      async run(statement) {
        using beside = new DatabaseSync(path, { timeout: 5_000 });
        beside.exec(statement);
      },
    });
  } finally {
    await database.close();
    rmSync(folder, { recursive: true });
  }
}

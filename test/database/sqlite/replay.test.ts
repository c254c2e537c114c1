import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { openSqlite } from '../../../src/database/sqlite/sqlite.ts';
import { type FaultOperations, faultOperationsUrl } from '../fault-operations.ts';
import { type Damageable, killReplays, replaysWhateverWasThere } from '../replay-cases.ts';

describe('a replay on SQLite', () => {
  test('makes the views what the events say, whatever was there', () => withDatabase(replaysWhateverWasThere));

  test('leaves the old views or the new ones when it is killed', () => withDatabase(killReplays));
});

async function withDatabase(body: (place: Damageable) => Promise<void>): Promise<void> {
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

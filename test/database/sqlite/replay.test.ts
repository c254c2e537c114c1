import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { openSqlite } from '../../../src/database/sqlite/sqlite.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { type FaultOperations, faultOperationsUrl } from '../fault-operations.ts';
import { type Damageable, dump, killReplays, replaysWhateverWasThere } from '../replay-cases.ts';

describe('a replay on SQLite', () => {
  test('makes the views what the events say, whatever was there', () => withDatabase(replaysWhateverWasThere));

  test('leaves the old views or the new ones when it is killed', () => withDatabase(killReplays));

  test('refuses a long log at the event that is not the one that was written, and changes nothing', () =>
    withDatabase(async ({ database, run }) => {
      await database.write('addPackages', { count: 5_000 });
      await run("drop trigger events_not_updated; update events set actor = 'somebody else' where sequence = 4321");
      const before = await dump(database);
      const error: unknown = await database.replay().catch((reason: unknown) => reason);
      assert.ok(isArtifactstoreError(error, 'integrity_failure'), String(error));
      assert.deepEqual(error.info, { sequence: 4321 });
      assert.deepEqual(await dump(database), before);
      await run("update events set actor = 'conformance' where sequence = 4321");
      assert.deepEqual(await database.replay(), { events: 5_000, sequence: 5_000 });
      assert.deepEqual(await dump(database), before);
    }));
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

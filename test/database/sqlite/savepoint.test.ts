import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../../src/database/clock.ts';
import { packageCreated } from '../../../src/database/conformance/events.ts';
import { conformanceOperationsUrl } from '../../../src/database/conformance/operations.ts';
import type { Transaction } from '../../../src/database/DATABASE.ts';
import { openConnection } from '../../../src/database/sqlite/connection.ts';
import { runFirst, runInSavepoint } from '../../../src/database/sqlite/savepoint.ts';
import { readHead, sqliteSession } from '../../../src/database/sqlite/session.ts';
import { openSqlite } from '../../../src/database/sqlite/sqlite.ts';

test('what is first in a transaction leaves nothing when it fails, and what follows is on top of what others wrote then', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-savepoint-'));
  const path = join(directory, 'registry.db');
  const database = await openSqlite({ path, operations: { url: conformanceOperationsUrl }, migrate: true });
  await database.close();
  const connections = [1, 2].map(() => openConnection(path, { readOnly: false, busyMilliseconds: 1_000 }));
  const [ours, theirs] = connections.map((connection) => ({
    connection,
    path,
    session: sqliteSession(connection),
    registryId: 'registry',
    clock: systemClock,
  }));
  const begin = (): NonNullable<ReturnType<typeof readHead>> => {
    ours!.connection.database.exec('begin immediate');
    return readHead(ours!.connection)!;
  };
  const adds =
    (id: string, error?: Error) =>
    async (transaction: Transaction): Promise<number> => {
      const sequence = transaction.append(packageCreated(id, id));
      await transaction.flush();
      if (error !== undefined) throw error;
      return sequence;
    };
  try {
    const failed = await runFirst(ours!, begin(), adds('failed', new Error('late')), () => {
      theirs!.connection.database.exec('begin immediate');
      theirs!.connection.database.exec('update log_head set sequence = 41, chain_digest = zeroblob(32) where id = 1; commit');
      return begin();
    });
    assert.equal(failed.head.sequence, 41);
    assert.ok('error' in failed.outcome && String(failed.outcome.error) === 'Error: late');
    const first = await runFirst(ours!, failed.head, adds('first'), begin);
    const undone = await runInSavepoint(ours!, first.head, adds('undone', new Error('late')));
    const last = await runInSavepoint(ours!, undone.head, adds('last'));
    ours!.connection.database.exec('commit');
    assert.deepEqual([first.outcome, undone.head.sequence, last.outcome], [{ output: 42 }, 42, { output: 43 }]);
    const names = theirs!.connection.prepare('select name from artifact_packages order by created_sequence').all();
    assert.deepEqual(
      names.map(({ name }) => name),
      ['first', 'last'],
    );
  } finally {
    for (const connection of connections) connection.close();
    rmSync(directory, { recursive: true });
  }
});

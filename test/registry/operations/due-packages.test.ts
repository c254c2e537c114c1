import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openConnection } from '../../../src/database/sqlite/connection.ts';
import { sqliteQueries } from '../../../src/database/sqlite/dialect.ts';
import { openSqlite } from '../../../src/database/sqlite/sqlite.ts';
import { type DuePackage, eligiblePackages, expiredPackages } from '../../../src/registry/operations/due-packages.ts';
import { operationsUrl } from '../../../src/registry/operations/url.ts';

const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
const path = join(directory, 'registry.db');
await (await openSqlite({ path, operations: { url: operationsUrl }, migrate: true })).close();
const connection = openConnection(path, { readOnly: false, busyMilliseconds: 1000 });
const database = sqliteQueries(connection);
after(() => {
  connection.close();
  rmSync(directory, { recursive: true });
});

test('what is due is found by its time alone, however many packages are sealed', () => {
  const now = '2026-01-02T00:00:00.000Z';
  const behind = { package_id: 'p', expires_at: '2026-01-01T00:00:00.000Z' };
  for (const [due, index] of [
    [expiredPackages(database, now, null), 'retention_state_expiry \\(expires_at'],
    [expiredPackages(database, now, behind), 'retention_state_expiry \\(\\(expires_at,package_id\\)>'],
    [eligiblePackages(database, now), 'retention_state_eligible '],
  ] as const) {
    const { sql, parameters } = due.limit(500).compile();
    const steps = connection.database.prepare(`explain query plan ${sql}`).all(...(parameters as string[]));
    const plan = steps.map(({ detail }) => String(detail));
    assert.match(plan[0]!, new RegExp(`^SEARCH r USING INDEX ${index}`));
    assert.doesNotMatch(plan.join('\n'), /B-TREE|SCAN/);
  }
});

test('what is behind the last that was marked is all that is left, whatever is held before it', async () => {
  const times = ['01', '01', '02', '03'].map((day) => `2026-01-${day}T00:00:00.000Z`);
  for (const [index, expires_at] of times.entries()) {
    const id = `p${index}`;
    connection.database
      .prepare(
        "insert into artifact_packages values (?, 'n', 'p', 's', 'c', 'finalized', '{}', null, '', '', null, null, 0, 0, 0, '', ?, null)",
      )
      .run(id, index);
    connection.database.prepare("insert into retention_state values (?, 'c', ?, null, null)").run(id, expires_at);
  }
  connection.database.exec("insert into retention_holds values ('h', 'p2', '', '', '', null, null, null)");
  const due = async (after: DuePackage | null): Promise<readonly string[]> =>
    (await expiredPackages(database, '2026-02-01T00:00:00.000Z', after).execute()).map(({ package_id }) => package_id);
  assert.deepEqual(await due(null), ['p0', 'p1', 'p3']);
  assert.deepEqual(await due({ package_id: 'p0', expires_at: times[0]! }), ['p1', 'p3']);
  assert.deepEqual(await due({ package_id: 'p1', expires_at: times[1]! }), ['p3']);
  assert.deepEqual(await due({ package_id: 'p3', expires_at: times[3]! }), []);
});

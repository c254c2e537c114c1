import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openConnection } from '../../../src/database/sqlite/connection.ts';
import { sqliteQueries } from '../../../src/database/sqlite/dialect.ts';
import { openSqlite } from '../../../src/database/sqlite/sqlite.ts';
import { holdCount } from '../../../src/registry/operations/packages.ts';
import { newestHolds } from '../../../src/registry/operations/retention.ts';
import { operationsUrl } from '../../../src/registry/operations/url.ts';

const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
const path = join(directory, 'registry.db');
await (await openSqlite({ path, operations: { url: operationsUrl }, migrate: true })).close();
const connection = openConnection(path, { readOnly: true, busyMilliseconds: 1000 });
const database = sqliteQueries(connection);
after(() => {
  connection.close();
  rmSync(directory, { recursive: true });
});

function planOf({ sql, parameters }: { readonly sql: string; readonly parameters: readonly unknown[] }): readonly string[] {
  const steps = connection.database.prepare(`explain query plan ${sql}`).all(...(parameters as string[]));
  return steps.map(({ detail }) => String(detail));
}

test('what holds packages is counted from an index of those holds alone', () => {
  const counted = database
    .selectFrom('artifact_packages as p')
    .select(holdCount.as('hold_count'))
    .where('p.created_sequence', 'in', [1, 2]);
  assert.match(planOf(counted.compile()).join('\n'), /SEARCH h USING COVERING INDEX retention_holds_counted /);
});

test('the newest holds are the last of an index, and those that were released are not looked at for those that hold', () => {
  const planOfNewest = (which: 'holding' | 'released') => planOf(newestHolds(database, 'a', which, 500).compile());
  assert.deepEqual(planOfNewest('holding'), ['SEARCH retention_holds USING INDEX retention_holds_holding (package_id=?)']);
  assert.deepEqual(planOfNewest('released'), ['SEARCH retention_holds USING INDEX retention_holds_applied (package_id=?)']);
});

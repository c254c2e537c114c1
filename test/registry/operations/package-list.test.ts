import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openConnection } from '../../../src/database/sqlite/connection.ts';
import { sqliteQueries } from '../../../src/database/sqlite/dialect.ts';
import { openSqlite } from '../../../src/database/sqlite/sqlite.ts';
import { type Condition, newest, packagesWith } from '../../../src/registry/operations/package-filters.ts';
import { operationsUrl } from '../../../src/registry/operations/url.ts';
import { compareLists, fillPackages, findOldOnes, passOverOthers } from './package-list-cases.ts';

const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
const path = join(directory, 'registry.db');
await (await openSqlite({ path, operations: { url: operationsUrl }, migrate: true })).close();
const connection = openConnection(path, { readOnly: false, busyMilliseconds: 1000 });
connection.database.exec('pragma synchronous = off');
const database = sqliteQueries(connection);
connection.database.exec('begin');
const rows = await fillPackages(database, 1);
connection.database.exec('commit');
after(() => {
  connection.close();
  rmSync(directory, { recursive: true });
});

test('lists of any scope and filters have what a look at each package finds, page by page', () => compareLists(database, rows, 2, 30));

test('few packages below many of others are found in one read', () => findOldOnes(database));

test('what others have between the packages of many producers is not looked at', () => passOverOthers(database));

function planOf({ sql, parameters }: { readonly sql: string; readonly parameters: readonly unknown[] }): string {
  const steps = connection.database.prepare(`explain query plan ${sql}`).all(...(parameters as string[]));
  return steps.map(({ detail }) => String(detail)).join('\n');
}

test('whose the packages with a name, subject, class, status or manifest are is read from an index alone', () => {
  for (const column of ['name', 'subject', 'retention_class', 'status', 'manifest_digest'] as const) {
    const found = packagesWith(database, { column, value: 'v' }, { after: null, before: 7 }).select(['p.created_sequence', 'p.producer']);
    assert.match(planOf(found.limit(9).compile()), new RegExp(`COVERING INDEX artifact_packages_with_${column} `));
  }
});

test('of several conditions the rarest one leads, whichever that is', async () => {
  const rare: Condition = { column: 'subject', value: 'nothing' };
  const common: readonly Condition[] = [
    { column: 'status', value: 'finalized' },
    { column: 'producer', value: 'busy' },
  ];
  for (const conditions of [
    [rare, ...common],
    [...common, rare],
  ]) {
    const page = await newest(database, { conditions, times: [] }, { after: null, before: null }, 9);
    const plan = planOf(database.selectFrom(page).select('page.created_sequence').compile());
    assert.match(plan, /INDEX artifact_packages_with_subject /);
    assert.doesNotMatch(plan, /_status|_producer|SCAN p/);
  }
});

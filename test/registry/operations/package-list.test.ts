import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openConnection } from '../../../src/database/sqlite/connection.ts';
import { sqliteQueries } from '../../../src/database/sqlite/dialect.ts';
import { openSqlite } from '../../../src/database/sqlite/sqlite.ts';
import { operationsUrl } from '../../../src/registry/operations/url.ts';
import { compareLists, fillPackages, findOldOnes } from './package-list-cases.ts';

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

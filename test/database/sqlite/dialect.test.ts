import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sql } from '#kysely';
import { openConnection } from '../../../src/database/sqlite/connection.ts';
import { sqliteQueries } from '../../../src/database/sqlite/dialect.ts';

test('rows have the names of their columns, also when a table gets another one meanwhile', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-dialect-'));
  const path = join(directory, 'registry.db');
  const [connection, newer] = [1, 2].map(() => openConnection(path, { readOnly: false, busyMilliseconds: 1_000 }));
  try {
    connection!.database.exec('create table one (id, name); create table two (id, last)');
    connection!.database.exec("insert into one values (1, 'a'); insert into two values (1, 'z')");
    const database = sqliteQueries(connection!);
    const read = async () => (await sql`select one.*, two.last from one join two on two.id = one.id`.execute(database)).rows;
    assert.deepEqual(await read(), [{ id: 1, name: 'a', last: 'z' }]);
    newer!.database.exec('alter table one add column added default 7');
    assert.deepEqual(await read(), [{ id: 1, name: 'a', added: 7, last: 'z' }]);
    assert.deepEqual((await sql`select * from one where id = 2`.execute(database)).rows, []);
    const { rows, numAffectedRows } = await sql`update one set name = 'b'`.execute(database);
    assert.deepEqual([rows, numAffectedRows], [[], 1n]);
    assert.equal(connection!.prepare('select name from one').get()?.name, 'b', 'other users of the connection get objects');
  } finally {
    connection?.close();
    newer?.close();
    rmSync(directory, { recursive: true });
  }
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openConnection } from '../../../../src/database/sqlite/connection.ts';
import { sqliteQueries } from '../../../../src/database/sqlite/dialect.ts';
import { openSqlite } from '../../../../src/database/sqlite/sqlite.ts';
import { openOf, openOfOne } from '../../../../src/registry/operations/uploads/open-uploads.ts';
import { operationsUrl } from '../../../../src/registry/operations/url.ts';

test('what an actor has open is read from an index alone, in which no other uploads are', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
  const path = join(directory, 'registry.db');
  await (await openSqlite({ path, operations: { url: operationsUrl }, migrate: true })).close();
  const connection = openConnection(path, { readOnly: true, busyMilliseconds: 1000 });
  try {
    const database = sqliteQueries(connection);
    for (const query of [openOfOne(database, 'a', 'id'), openOf(database, ['a', 'b'])]) {
      const { sql, parameters } = query.compile();
      const steps = connection.database.prepare(`explain query plan ${sql}`).all(...(parameters as string[]));
      assert.match(steps.map(({ detail }) => String(detail)).join('\n'), /COVERING INDEX uploads_open /);
    }
  } finally {
    connection.close();
    rmSync(directory, { recursive: true });
  }
});

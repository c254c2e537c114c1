import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CompiledQuery } from '#kysely';
import { openConnection } from '../../../../src/database/sqlite/connection.ts';
import { sqliteQueries } from '../../../../src/database/sqlite/dialect.ts';
import { openSqlite } from '../../../../src/database/sqlite/sqlite.ts';
import { listedUploads } from '../../../../src/registry/operations/uploads/list-uploads.ts';
import { openOf, openOfOne } from '../../../../src/registry/operations/uploads/open-uploads.ts';
import { operationsUrl } from '../../../../src/registry/operations/url.ts';
import { listedSessions } from '../../../../src/registry/operations/write-sessions/list-sessions.ts';

test('what is open is read from an index in which nothing else is', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
  const path = join(directory, 'registry.db');
  await (await openSqlite({ path, operations: { url: operationsUrl }, migrate: true })).close();
  const connection = openConnection(path, { readOnly: true, busyMilliseconds: 1000 });
  try {
    const database = sqliteQueries(connection);
    const stepsOf = (query: { compile(): CompiledQuery }): string => {
      const { sql, parameters } = query.compile();
      const steps = connection.database.prepare(`explain query plan ${sql}`).all(...(parameters as string[]));
      return steps.map(({ detail }) => String(detail)).join('\n');
    };
    for (const query of [openOfOne(database, 'a', 'id'), openOf(database, ['a', 'b'])])
      assert.match(stepsOf(query), /COVERING INDEX uploads_open /);
    for (const after of [null, 'id']) {
      assert.match(stepsOf(listedUploads(database, null, after).select('id')), /INDEX uploads_listed\b/);
      assert.match(stepsOf(listedUploads(database, 'a', after).select('id')), /INDEX uploads_open \(created_by/);
      assert.match(stepsOf(listedSessions(database, after).select('id')), /INDEX write_sessions_listed\b/);
    }
  } finally {
    connection.close();
    rmSync(directory, { recursive: true });
  }
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openSqlite } from '../../../../src/database/sqlite/sqlite.ts';
import type { RegistryOperations } from '../../../../src/registry/operations/operations.ts';
import { operationsUrl } from '../../../../src/registry/operations/url.ts';

test('a step ends sessions with so many objects together, and one at least', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
  const path = join(directory, 'registry.db');
  const database = await openSqlite<RegistryOperations>({ path, operations: { url: operationsUrl }, migrate: true });
  try {
    for (const [index, count] of [3, 2, 9, 1].entries())
      await database.write('session.open', {
        ...{ actor: 'a', producer: 'p', scope: 's', idempotency_key: `${index}`, request_digest: '', backend_id: 'local' },
        detail: { subject: 'u', namespace: 'n', retention_class: 'transient' },
        objects: Array.from({ length: count }, (_, at) => {
          return { name: `${at}`, sha256: '0'.repeat(64), size_bytes: 1, media_type: 'text/plain', state: 'put' };
        }),
        ...{ lifetime_seconds: -1, quota: null, maximum_open: 10 },
      });
    const ended: number[][] = [];
    for (;;) {
      const step = await database.write('session.expire', { actor: 'sweep', limit: 5, remembered_seconds: 60 });
      if (step.length === 0) break;
      ended.push(step.map(({ row }) => row.object_count));
    }
    assert.deepEqual(ended, [[3, 2], [9], [1]]);
  } finally {
    await database.close();
    rmSync(directory, { recursive: true });
  }
});

test('a session whose commit nobody continued says when that ended', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
  const path = join(directory, 'registry.db');
  const database = await openSqlite<RegistryOperations>({ path, operations: { url: operationsUrl }, migrate: true });
  try {
    const { record } = await database.write('session.open', {
      ...{ actor: 'a', producer: 'p', scope: 's', idempotency_key: 'k', request_digest: '', backend_id: 'local' },
      detail: { subject: 'u', namespace: 'n', retention_class: 'transient' },
      ...{ objects: [], lifetime_seconds: 3_600, quota: null, maximum_open: 10 },
    });
    const session = { actor: 'a', id: record.id, object_count: 0 };
    await database.write('session.begin_commit', { ...session, quota: null, duration_seconds: null });
    const ended = '2026-01-02T03:04:05.678Z';
    using file = new DatabaseSync(path);
    file.prepare('update write_sessions set expires_at = ? where id = ?').run(ended, record.id);
    await database.write('session.expire', { actor: 'sweep', limit: 5, remembered_seconds: 60 });
    const message = `The write session ${record.id} has expired, at ${ended}; open it again.`;
    await assert.rejects(database.write('session.abort', session), { code: 'write_session_expired', message });
  } finally {
    await database.close();
    rmSync(directory, { recursive: true });
  }
});

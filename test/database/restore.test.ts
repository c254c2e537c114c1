import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { type LogSource, restoreTarget } from '../../src/database/restore.ts';

// Whole registries are restored in test/registry/upkeep/backup.test.ts, and into PostgreSQL in backup.heavy.ts.

describe('a database to restore into', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'artifactstore-restore-'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  const target = (path: string) => restoreTarget({ kind: 'sqlite', path: join(root, path) });
  const empty: LogSource = {
    registry: { id: 'r', format_version: 1, created_at: 't' },
    head: { sequence: 0, chain_digest: `blake3:${'00'.repeat(32)}` },
    async *events() {},
    async *idempotencyKeys() {},
    blockDigests: [],
  };
  const query = (path: string, text: string) => {
    const database = new DatabaseSync(join(root, path));
    try {
      return database.prepare(text).all();
    } finally {
      database.close();
    }
  };

  it('is filled whole or stays empty, and takes the registry of the copy', async () => {
    const { fill, requireEmpty } = await target('new/a.db');
    await requireEmpty();
    assert.ok(!existsSync(join(root, 'new')), 'looking makes nothing');
    const broken = async function* (): AsyncIterable<never> {
      yield* [];
      throw new Error('the copy ended early');
    };
    await assert.rejects(fill({ ...empty, events: broken }));
    assert.deepEqual(query('new/a.db', 'select name from sqlite_schema'), []);
    await assert.rejects(fill({ ...empty, registry: { ...empty.registry, format_version: 2 } }), { code: 'invalid_value' });
    await requireEmpty();
    await fill(empty);
    assert.deepEqual(
      query('new/a.db', 'select id from registry').map(({ id }) => id),
      ['r'],
    );
  });

  it('is refused when it has a log, a server, other tables, or the rest of another file', async () => {
    await (await target('used.db')).fill(empty);
    query('used.db', "insert into leases values ('retention', 'server', '9999-01-01T00:00:00.000Z')");
    await assert.rejects((await target('used.db')).requireEmpty(), /a server is using it/);
    query('used.db', "insert into events values (1, 't', 'e', 'k', 'i', 'a', x'', x'', x'')");
    await assert.rejects((await target('used.db')).requireEmpty(), /has a log/);
    await assert.rejects((await target('used.db')).fill(empty), { code: 'target_in_use' });
    query('foreign.db', 'create table cats (name)');
    await assert.rejects((await target('foreign.db')).requireEmpty(), { code: 'target_in_use' });
    writeFileSync(join(root, 'gone.db-wal'), '');
    await assert.rejects((await target('gone.db')).requireEmpty(), { code: 'target_in_use' });
    writeFileSync(join(root, 'text.db'), 'this is no database, and long enough to be seen as none');
    await assert.rejects((await target('text.db')).requireEmpty(), { code: 'integrity_failure' });
  });
});

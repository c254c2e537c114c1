import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { openPostgres } from '../../../src/database/postgres/postgres.ts';
import { execute, type PostgresServer, startPostgres } from '../../postgres-server.ts';
import { type FaultOperations, faultOperationsUrl } from '../fault-operations.ts';
import { type Damageable, dump, killReplays, replaysWhateverWasThere } from '../replay-cases.ts';

describe('a replay on PostgreSQL', () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());

  test('makes the views what the events say, whatever was there', () => withDatabase(replaysWhateverWasThere));

  test('leaves the old views or the new ones when it is killed', () => withDatabase(killReplays));

  test('writes no row that was right, and keeps no reader waiting', () =>
    withDatabase(async ({ database, url, run }) => {
      await database.write('liveTogether', { labels: ['one', 'other'], picks: [0, 1] });
      const versions = () => execute(url, 'select ctid, xmin from artifact_files union all select ctid, xmin from producer_usage');
      const before = await versions();
      await database.replay();
      assert.deepEqual(await versions(), before);
      await run("update artifact_files set media_type = 'x'");
      await run(`alter database ${new URL(url).pathname.slice(1)} set lock_timeout = '20s'`);
      const reader = new Client({ connectionString: url });
      await reader.connect();
      await reader.query('begin; lock table artifact_files, storage_locations in access share mode');
      await database.replay();
      await reader.end();
      assert.notDeepEqual(await versions(), before);
    }));

  test('takes out what is there twice, after the primary key was lost', () =>
    withDatabase(async ({ database, run }) => {
      await database.write('liveTogether', { labels: ['one', 'other'], picks: [0, 1] });
      const good = await dump(database);
      await run('alter table artifact_files drop constraint artifact_files_pkey; drop index artifact_files_path');
      await run('insert into artifact_files select * from artifact_files limit 1');
      await database.replay();
      assert.deepEqual(await dump(database), good);
    }));

  async function withDatabase(body: (place: Damageable & { readonly url: string }) => Promise<void>): Promise<void> {
    const url = await server.createDatabase();
    const database = await openPostgres<FaultOperations>({
      connectionString: url,
      operations: { url: faultOperationsUrl },
      migrate: true,
    });
    try {
      await body({ database, url, target: { kind: 'postgresql', url }, run: async (statement) => void (await execute(url, statement)) });
    } finally {
      await database.close();
    }
  }
});

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Database } from '../../../src/database/DATABASE.ts';
import { openPostgres } from '../../../src/database/postgres/postgres.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { execute, type PostgresServer, startPostgres } from '../../postgres-server.ts';
import { type FaultOperations, faultOperationsUrl } from '../fault-operations.ts';
import { startTcpProxy, through } from '../tcp-proxy.ts';

let server: PostgresServer;
let url: string;
before(async () => {
  server = await startPostgres();
  url = await server.createDatabase();
});
after(() => server.stop());

const operations = { url: faultOperationsUrl };

describe('a server that was demoted', () => {
  test('is not read from, says so in health, and a writer finds the next one', async (context) => {
    const { demote } = server;
    if (demote === undefined) return context.skip("somebody else's server is not demoted");
    const database: Database<FaultOperations> = await openPostgres({ connectionString: url, operations, migrate: true });
    await database.write('addPackages', { count: 3 });
    assert.equal(await database.read('countEvents', null), 3);
    await demote();
    for (const work of [() => database.read('countEvents', null), () => database.write('addPackages', { count: 1 })])
      await assert.rejects(work(), (error) => isArtifactstoreError(error, 'database_unavailable') && /standby/.test(error.message));
    const { healthy, detail } = await database.health();
    assert.ok(!healthy && /is a standby/.test(detail), detail);
    const auditor: Database<FaultOperations> = await openPostgres({ connectionString: url, operations, readOnly: true });
    assert.equal(await auditor.read('countEvents', null), 3, 'to read only, a standby will do');
    await assert.rejects(auditor.write('addPackages', { count: 1 }), /opened to be read/);
    await auditor.close();
    await execute(url, 'select pg_promote()');
    await database.write('addPackages', { count: 1 });
    assert.equal(await database.read('countEvents', null), 4);
    await database.close();
  });

  test('is left for the one that was promoted, and nothing that was acknowledged is missing there', async (context) => {
    const { demote } = server;
    if (demote === undefined) return context.skip("somebody else's server is not demoted");
    const standby = await startPostgres({ standbyOf: url });
    try {
      await using proxy = await startTcpProxy(portOf(url));
      const connectionString = through(proxy, url);
      const database: Database<FaultOperations> = await openPostgres({ connectionString, operations, migrate: true });
      await database.write('addPackages', { count: 5 });
      const written = await database.read('countEvents', null);
      const follower = url.replace(`:${portOf(url)}/`, `:${portOf(standby.url)}/`);
      for (let tries = 0; (await execute(follower, 'select count(*)::int as count from events'))[0]?.count !== written; tries++) {
        assert.ok(tries < 1_200, 'the standby follows');
        await new Promise((next) => setTimeout(next, 50));
      }
      proxy.lead(portOf(standby.url));
      await assert.rejects(database.write('addPackages', { count: 1 }), /is a standby/);
      proxy.lead(portOf(url));
      await demote();
      await execute(follower, 'select pg_promote()');
      await assert.rejects(database.read('countEvents', null), /is a standby/, 'the address still leads to the old one');
      proxy.lead(portOf(standby.url));
      assert.equal(await database.read('countEvents', null), written);
      await database.write('addPackages', { count: 1 });
      assert.equal(await database.read('countEvents', null), Number(written) + 1);
      assert.equal((await database.health()).healthy, true);
      await database.close();
    } finally {
      await standby.stop();
    }
  });
});

describe('a server that is too old', () => {
  test('is refused by a real server that is too old', async (context) => {
    const installation = '/usr/lib/postgresql/15';
    if (!existsSync(join(installation, 'bin/initdb'))) return context.skip('no PostgreSQL 15 is installed on this machine');
    const old = await startPostgres({ installation });
    try {
      const connectionString = await old.createDatabase();
      const error: unknown = await openPostgres({ connectionString, operations, migrate: true }).catch((reason: unknown) => reason);
      assert.ok(isArtifactstoreError(error, 'invalid_configuration'), String(error));
      assert.match(error.message, /is version 15, and 16 or later is needed/);
      assert.deepEqual(await execute(connectionString, "select 1 from pg_tables where schemaname = 'public'"), []);
    } finally {
      await old.stop();
    }
  });
});

function portOf(text: string): number {
  return Number(new URL(text).port);
}

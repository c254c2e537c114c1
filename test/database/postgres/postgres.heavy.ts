import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { conformanceOperationsUrl } from '../../../src/database/conformance/operations.ts';
import { assertIntactLog, assertReplayable, type ConformanceDatabase, databaseConformance } from '../../../src/database/conformance.ts';
import type { Database } from '../../../src/database/DATABASE.ts';
import { openPostgres } from '../../../src/database/postgres/postgres.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { execute, type PostgresServer, startPostgres } from '../../postgres-server.ts';
import { type FaultOperations, faultOperationsUrl } from '../fault-operations.ts';
import { replacesIndexesOfWhatWasThere } from '../migrations/before-package-lists.ts';
import { sumsWhatWasThere } from '../migrations/before-producer-usage.ts';
import { openDatabases } from '../opened-databases.ts';
import { killWriters } from '../processes.ts';

let server: PostgresServer;
before(async () => {
  server = await startPostgres();
});
after(() => server.stop());

databaseConformance('postgres', async (operations) => {
  const connectionString = await server.createDatabase();
  return await openDatabases(() => openPostgres({ connectionString, operations }));
});

describe('postgres', () => {
  test('loses nothing that it acknowledged when processes that share the server are killed', () =>
    withDatabase((database, url) => killWriters({ kind: 'postgresql', url }, database as ConformanceDatabase)));

  test('sums by producer what an earlier version has filled, and what it still writes', () =>
    withDatabase((database, url) =>
      sumsWhatWasThere(
        database as ConformanceDatabase,
        async (statements) => {
          for (const statement of statements) await execute(url, statement);
        },
        () => openPostgres({ connectionString: url, operations: { url: conformanceOperationsUrl } }),
        (name) => `drop trigger ${name} on artifact_packages`,
      ),
    ));

  test('replaces indexes of what an earlier version has filled, and still writes', () =>
    withDatabase((database, url) =>
      replacesIndexesOfWhatWasThere({
        earlier: database as ConformanceDatabase,
        execute: async (statements) => {
          for (const statement of statements) await execute(url, statement);
        },
        indexes: async () =>
          (await execute(url, "select indexname from pg_indexes where tablename = 'artifact_packages'")).map(({ indexname }) =>
            String(indexname),
          ),
        open: () => openPostgres({ connectionString: url, operations: { url: conformanceOperationsUrl } }),
      }),
    ));

  test('a trigger that somebody disabled is told, and a replay enables it again and makes the sums right', () =>
    withDatabase(async (database, url) => {
      await database.write('addPackages', { count: 2 });
      assert.equal((await database.health()).healthy, true);
      await execute(url, 'alter table artifact_packages disable trigger producer_usage_inserted');
      await database.write('addPackages', { count: 3 });
      const { healthy, detail } = await database.health();
      assert.equal(healthy, false);
      assert.match(detail, /lost producer_usage_inserted; run `artifactstore replay`\. A trigger that is disabled counts as lost/);
      await database.replay();
      assert.equal((await database.health()).healthy, true);
      await database.write('addPackages', { count: 1 });
      await assertReplayable(database as ConformanceDatabase);
    }));

  test('the server keeps the statements that write, also where a later version adds a column', () =>
    withDatabase(async (database, url) => {
      const write = async (label: string): Promise<number> => {
        await database.write('liveALife', { label, flushEach: true });
        return await database.write('countKeptStatements', null);
      };
      const kept = await write('first');
      assert.ok(kept > 5, `${kept} are kept`);
      assert.equal(await write('second'), kept);
      await execute(url, 'alter table artifact_packages add column later text');
      assert.equal(await write('third'), kept);
      await execute(url, 'alter table artifact_packages drop column later');
      await assertReplayable(database as ConformanceDatabase);
    }));

  test("tells what its server's clock says", () =>
    withDatabase(async (database) => {
      assert.ok(Math.abs((await database.clock!()) - Date.now()) < 30_000);
    }));

  test('a set decides on what was committed while it waited for the log', () =>
    withDatabase(async (database, url) => {
      await database.write('claimKey', { key: 'first', kind: 'good' });
      const holder = new Client({ connectionString: url });
      await holder.connect();
      await holder.query('begin; select from log_head for update');
      const claiming = Array.from({ length: 20 }, (_, index) => database.write('claimKey', { key: `key ${index}`, kind: 'good' }));
      const waits = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
      while ((await execute(url, waits)).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      await holder.query("insert into idempotency_keys values ('p', 'key 7', '', '', ''); commit");
      const outcomes = await Promise.allSettled(claiming);
      await holder.end();
      outcomes.forEach((outcome, index) => {
        if (index === 7) assert.ok(outcome.status === 'rejected' && isArtifactstoreError(outcome.reason, 'idempotency_conflict'));
        else assert.ok(outcome.status === 'fulfilled' && outcome.value.together === 20, 'the set ran once, and was not undone');
      });
    }));

  test('answers or repeats what was under way when its session ends', () =>
    withDatabase(async (database) => {
      const outcomes = await Promise.allSettled([
        database.write('addPackages', { count: 1 }),
        database.write('endSession', null),
        database.write('addPackages', { count: 1 }),
      ]);
      assert.deepEqual(
        outcomes.map((outcome) => outcome.status),
        ['fulfilled', 'rejected', 'fulfilled'],
        'what ends its session is given up; its neighbours are done',
      );
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') assert.ok(isArtifactstoreError(outcome.reason, 'database_unavailable'), String(outcome.reason));
      assert.deepEqual(await database.write('addPackages', { count: 1 }), [3]);
      await assertReplayable(database as ConformanceDatabase);
    }));

  test('outlives a crash of the server, and loses nothing that was acknowledged', (context) => {
    const { crash } = server;
    if (crash === undefined) return context.skip("somebody else's server is not crashed");
    return withDatabase(async (database) => {
      let stopped = false;
      const names: string[] = [];
      const writing = Promise.all(
        Array.from({ length: 16 }, async (_, writer) => {
          for (let index = 0; !stopped; index++) {
            const name = `${writer} ${index}`;
            const outcome = await database.write('claim', { name }).catch((error: unknown) => error);
            if (outcome === true) names.push(name);
            else assert.ok(isArtifactstoreError(outcome, 'database_unavailable'), String(outcome));
          }
        }),
      );
      const waiting = database.waitForEvents(1_000_000_000, 1_500).catch((error: unknown) => error);
      for (let crashes = 0; crashes < 2; crashes++) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        await crash();
      }
      await database.write('claim', { name: 'after' });
      stopped = true;
      await writing;
      const end = await waiting;
      assert.ok(typeof end === 'number' || isArtifactstoreError(end, 'database_unavailable'));
      const { sequence } = await assertIntactLog(database as ConformanceDatabase);
      const kept = new Set((await database.read('dumpViews', null)).artifact_packages!.map((row) => (row as { name: string }).name));
      assert.equal(kept.size, sequence);
      for (const name of names) assert.ok(kept.has(name), `${name} was acknowledged`);
      await assertReplayable(database as ConformanceDatabase);
    });
  });

  test('fails an operation that goes on after its transaction has failed', () =>
    withDatabase(async (database) => {
      const error: unknown = await database.write('swallowFailure', null).catch((reason: unknown) => reason);
      assert.ok(isArtifactstoreError(error, 'internal'));
      assert.deepEqual(await database.write('addPackages', { count: 1 }), [1]);
    }));

  test('asks for durable commits, whatever the server does by default', () =>
    withDatabase(async (database, url) => {
      await execute(url, `alter database ${new URL(url).pathname.slice(1)} set synchronous_commit = off`);
      const [row] = await database.write('readSetting', { name: 'synchronous_commit' });
      assert.equal(row, 'on');
    }));

  test('refuses to replay a log that was tampered with, and changes nothing', () =>
    withDatabase(async (database, url) => {
      await database.write('liveALife', { label: 'x', flushEach: false });
      const before = await database.read('dumpViews', null);
      await execute(url, 'alter table events disable trigger user; create table kept as select * from events');
      for (const tampering of [
        "update events set actor = 'somebody else' where sequence = 7",
        'delete from events where sequence = 7',
        'delete from events where sequence = (select max(sequence) from events)',
      ]) {
        await execute(url, tampering);
        const error: unknown = await database.replay().catch((reason: unknown) => reason);
        assert.ok(isArtifactstoreError(error, 'integrity_failure'), String(error));
        assert.deepEqual(await database.read('dumpViews', null), before);
        await execute(url, 'delete from events; insert into events select * from kept');
      }
      await assertReplayable(database as ConformanceDatabase);
    }));

  test('refuses a schema that is newer than it knows', () =>
    withDatabase(async (_, url) => {
      await execute(url, "insert into schema_migrations values ('9999-later', '2030-01-01T00:00:00.000Z')");
      const older = await openPostgres<FaultOperations>({ connectionString: url, operations: { url: faultOperationsUrl } });
      const error: unknown = await older.write('addPackages', { count: 1 }).catch((reason: unknown) => reason);
      assert.ok(isArtifactstoreError(error, 'database_not_migrated') && error.message.includes('9999-later'));
      assert.ok(isArtifactstoreError(await older.migrate().catch((reason: unknown) => reason), 'database_not_migrated'));
      assert.equal((await older.health()).healthy, false);
      await older.close();
    }));

  test('says that a server cannot be reached, without its password', async () => {
    const connectionString = 'postgresql://user:secret-password@127.0.0.1:1/nowhere';
    const away = await openPostgres<FaultOperations>({ connectionString, operations: { url: faultOperationsUrl } });
    const { healthy, detail } = await away.health();
    assert.equal(healthy, false);
    const outcomes = await Promise.allSettled([
      away.write('addPackages', { count: 1 }),
      away.read('countLeases', null),
      away.waitForEvents(0, 10),
    ]);
    for (const outcome of outcomes) {
      assert.ok(outcome.status === 'rejected' && isArtifactstoreError(outcome.reason, 'database_unavailable'));
      assert.ok(!`${detail} ${outcome.reason.stack} ${(outcome.reason.cause as Error).stack}`.includes('secret-password'));
    }
    await away.close();
  });
});

async function withDatabase(body: (database: Database<FaultOperations>, url: string) => Promise<void>): Promise<void> {
  const connectionString = await server.createDatabase();
  const database = await openPostgres<FaultOperations>({ connectionString, operations: { url: faultOperationsUrl }, migrate: true });
  try {
    await body(database, connectionString);
  } finally {
    await database.close();
  }
}

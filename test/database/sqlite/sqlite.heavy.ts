import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { conformanceOperationsUrl } from '../../../src/database/conformance/operations.ts';
import { assertIntactLog, assertReplayable, type ConformanceDatabase, databaseConformance } from '../../../src/database/conformance.ts';
import type { Database } from '../../../src/database/DATABASE.ts';
import { openSqlite } from '../../../src/database/sqlite/sqlite.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { type FaultOperations, faultOperationsUrl } from '../fault-operations.ts';
import { replacesIndexesOfWhatWasThere } from '../migrations/before-package-lists.ts';
import { sumsWhatWasThere } from '../migrations/before-producer-usage.ts';
import { openDatabases } from '../opened-databases.ts';
import { killWriters } from '../processes.ts';

databaseConformance('sqlite', async (operations) => {
  const { path, remove } = newFile();
  const { close, ...databases } = await openDatabases(() => openSqlite({ path, operations }));
  return {
    ...databases,
    async close() {
      await close();
      remove();
    },
  };
});

describe('sqlite', () => {
  test('loses nothing that it acknowledged when processes that share the file are killed', () =>
    withDatabase((database, path) => killWriters({ kind: 'sqlite', path }, database as ConformanceDatabase)));

  test('sums by producer what an earlier version has filled, and what it still writes', () =>
    withDatabase((database, path) =>
      sumsWhatWasThere(
        database as ConformanceDatabase,
        async (statements) => {
          const file = new DatabaseSync(path);
          for (const statement of statements) file.exec(statement);
          file.close();
        },
        () => openSqlite({ path, operations: { url: conformanceOperationsUrl } }),
        (name) => `drop trigger ${name}`,
      ),
    ));

  test('replaces indexes of what an earlier version has filled, and still writes', () =>
    withDatabase((database, path) => {
      const inFile = <R>(body: (file: DatabaseSync) => R): R => {
        const file = new DatabaseSync(path);
        try {
          return body(file);
        } finally {
          file.close();
        }
      };
      return replacesIndexesOfWhatWasThere({
        earlier: database as ConformanceDatabase,
        execute: async (statements) => inFile((file) => file.exec(statements.join('; '))),
        indexes: async () =>
          inFile((file) => file.prepare("select name from sqlite_schema where type = 'index'").all()).map(({ name }) => String(name)),
        open: () => openSqlite({ path, operations: { url: conformanceOperationsUrl } }),
      });
    }));

  test('answers storage_full while the disk is full, and works again when it is not', () =>
    withDatabase(async (database) => {
      await database.write('addPackages', { count: 10 });
      await database.write('limitGrowth', { pages: 20 });
      const outcomes = await Promise.allSettled(
        Array.from({ length: 40 }, () => database.write('addPackages', { count: 1, metadataLength: 20_000 })),
      );
      const failed = outcomes.filter((outcome) => outcome.status === 'rejected');
      assert.ok(failed.length > 0);
      for (const { reason } of failed) assert.ok(isArtifactstoreError(reason, 'storage_full'), String(reason));
      const acknowledged = outcomes.length - failed.length;
      assert.equal((await assertIntactLog(database as ConformanceDatabase)).sequence, 10 + acknowledged);
      await database.write('limitGrowth', { pages: null });
      await database.write('addPackages', { count: 1, metadataLength: 200_000 });
      await assertReplayable(database as ConformanceDatabase);
    }));

  test('answers everybody when its thread ends, and starts another', () =>
    withDatabase(async (database) => {
      await database.write('addPackages', { count: 2 });
      const outcomes = await Promise.allSettled([
        database.write('addPackages', { count: 1 }),
        database.write('endThread', null),
        database.write('addPackages', { count: 1 }),
      ]);
      const [first, ...others] = outcomes;
      // The thread may have begun, and committed, before the others reached it.
      const committed = first?.status === 'fulfilled';
      for (const outcome of committed ? others : outcomes)
        assert.ok(outcome.status === 'rejected' && isArtifactstoreError(outcome.reason, 'database_unavailable'));
      const next = await database.write('addPackages', { count: 1 });
      assert.deepEqual(next, [committed ? 4 : 3], 'what was answered is there, and what was in the transaction that ended is not');
      await assertReplayable(database as ConformanceDatabase);
    }));

  test('answers everybody in a transaction where one output cannot go to another thread', () =>
    withDatabase(async (database) => {
      const [long, first, given, last] = await Promise.allSettled([
        database.write('addPackages', { count: 200 }),
        database.write('addPackages', { count: 1 }),
        database.write('giveFunction', null),
        database.write('addPackages', { count: 1 }),
      ]);
      assert.deepEqual([long?.status, first?.status, given?.status, last?.status], ['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    }));

  test('refuses to replay a log that was tampered with, and changes nothing', () =>
    withDatabase(async (database, path) => {
      await database.write('liveALife', { label: 'x', flushEach: false });
      const before = await database.read('dumpViews', null);
      for (const tampering of [
        "update events set actor = 'somebody else' where sequence = 7",
        "update events set payload = x'a0' where sequence = 7",
        'delete from events where sequence = 7',
        'delete from events where sequence = (select max(sequence) from events)',
      ]) {
        const copy = new DatabaseSync(path);
        copy.exec('drop trigger events_not_updated; drop trigger events_not_deleted; create table kept as select * from events');
        copy.exec(tampering);
        const error: unknown = await database.replay().catch((reason: unknown) => reason);
        assert.ok(isArtifactstoreError(error, 'integrity_failure'), String(error));
        assert.equal(typeof error.info?.sequence, 'number');
        assert.deepEqual(await database.read('dumpViews', null), before);
        copy.exec(`delete from events; insert into events select * from kept; drop table kept;
          create trigger events_not_updated before update on events begin select raise(abort, 'no'); end;
          create trigger events_not_deleted before delete on events begin select raise(abort, 'no'); end`);
        copy.close();
      }
      await assertReplayable(database as ConformanceDatabase);
    }));

  test('has the same indexes after a replay', () =>
    withDatabase(async (database, path) => {
      const indexes = (): unknown => {
        const reader = new DatabaseSync(path, { readOnly: true });
        const rows = reader.prepare("select name, tbl_name, sql from sqlite_schema where type = 'index' order by name").all();
        reader.close();
        return rows;
      };
      const before = indexes();
      await database.replay();
      assert.deepEqual(indexes(), before);
    }));

  test('refuses a schema that is newer than it knows', () =>
    withDatabase(async (database, path) => {
      await database.close();
      const writer = new DatabaseSync(path);
      writer.exec("insert into schema_migrations values ('9999-later', '2030-01-01T00:00:00.000Z')");
      writer.close();
      const older = await openSqlite<FaultOperations>({ path, operations: { url: faultOperationsUrl } });
      const error: unknown = await older.write('addPackages', { count: 1 }).catch((reason: unknown) => reason);
      assert.ok(isArtifactstoreError(error, 'database_not_migrated') && error.message.includes('9999-later'));
      assert.match(String(error.info?.hint), /nothing was changed/, 'and not that it should be migrated');
      assert.ok(isArtifactstoreError(await older.migrate().catch((reason: unknown) => reason), 'database_not_migrated'));
      assert.equal((await older.health()).healthy, false);
      await older.close();
    }));

  test('makes no file before it is migrated, and refuses one that is no database', async () => {
    const { path, folder, remove } = newFile();
    const empty = await openSqlite({ path, operations: { url: conformanceOperationsUrl } });
    assert.equal((await empty.health()).migrated, false);
    await empty.close();
    assert.throws(() => readFileSync(path), { code: 'ENOENT' });
    const other = join(folder, 'notes.txt');
    writeFileSync(other, 'these are notes, and no database '.repeat(100));
    const options = { path: other, operations: { url: conformanceOperationsUrl }, migrate: true };
    const error: unknown = await openSqlite(options).catch((reason: unknown) => reason);
    assert.ok(isArtifactstoreError(error, 'integrity_failure'), String(error));
    remove();
  });
});

async function withDatabase(body: (database: Database<FaultOperations>, path: string) => Promise<void>): Promise<void> {
  const { path, remove } = newFile();
  const database = await openSqlite<FaultOperations>({ path, operations: { url: faultOperationsUrl }, migrate: true });
  try {
    await body(database, path);
  } finally {
    await database.close();
    remove();
  }
}

function newFile(): { readonly folder: string; readonly path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-sqlite-'));
  return { folder, path: join(folder, 'var', 'registry.db'), remove: () => rmSync(folder, { recursive: true }) };
}

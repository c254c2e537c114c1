import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import type { Database } from '../../../src/database/DATABASE.ts';
import { openSqlite, type SqliteOptions } from '../../../src/database/sqlite/sqlite.ts';
import { type ErrorCode, isArtifactstoreError } from '../../../src/kernel/error.ts';
import { type FaultOperations, faultOperationsUrl } from '../fault-operations.ts';

describe('the files of an embedded database', () => {
  test('are for their owner alone, and an older file that everybody may read is closed to others', async () => {
    using place = newPlace();
    const modes = (): readonly string[] =>
      readdirSync(dirname(place.path)).map((name) => (statSync(join(dirname(place.path), name)).mode & 0o777).toString(8));
    const first = await open(place.path, { migrate: true });
    await first.write('addPackages', { count: 1 });
    assert.deepEqual(modes(), ['600', '600', '600']);
    await first.close();
    chmodSync(place.path, 0o644);
    const second = await open(place.path, { migrate: true });
    await second.write('addPackages', { count: 1 });
    assert.deepEqual(modes(), ['600', '600', '600']);
    await second.close();
    chmodSync(place.path, 0o640);
    await (await open(place.path, { migrate: true })).close();
    assert.deepEqual(modes(), ['640'], 'what somebody lets a group do is theirs to say');
  });

  test('are not written to once they are deleted or replaced, and are when they are put back', async () => {
    using place = newPlace();
    const { path } = place;
    const database = await open(path, { migrate: true });
    await database.write('addPackages', { count: 1 });
    for (const instead of [undefined, 'another database'] as const) {
      renameSync(path, `${path}.away`);
      if (instead !== undefined) copyFileSync(`${path}.away`, path);
      await refused(database.write('addPackages', { count: 1 }), 'database_unavailable', /deleted or replaced/);
      const { healthy, detail } = await database.health();
      assert.ok(!healthy && /deleted or replaced/.test(detail), detail);
      renameSync(`${path}.away`, path);
      await database.write('addPackages', { count: 1 });
      assert.equal((await database.health()).healthy, true);
    }
    await database.close();
    assert.equal(rowsOf(path), 3);
  });

  test('are not another database at the first write either', async () => {
    using place = newPlace();
    const { path } = place;
    const database = await open(path, { migrate: true });
    renameSync(path, `${path}.away`);
    copyFileSync(`${path}.away`, path);
    await refused(database.write('addPackages', { count: 1 }), 'database_unavailable', /deleted or replaced/);
    await database.close();
  });

  test('keep what was acknowledged when the log beside them is deleted', async () => {
    using place = newPlace();
    const { path } = place;
    const database = await open(path, { migrate: true });
    await database.write('addPackages', { count: 5 });
    rmSync(`${path}-wal`);
    await refused(database.write('addPackages', { count: 1 }), 'database_unavailable', /-wal was deleted/);
    assert.equal((await database.health()).healthy, false);
    // As a kill would leave it: nothing is closed.
    copyFileSync(path, `${path}.killed`);
    assert.equal(rowsOf(`${path}.killed`), 5);
    await database.close();
  });

  test('are read without making anything beside them, also while a server comes to them', async () => {
    using place = newPlace();
    const { path } = place;
    const before = await open(path, { migrate: true });
    await before.write('addPackages', { count: 3 });
    await before.close();
    const listed = readdirSync(dirname(path));
    const reading = await open(path, { readOnly: true });
    assert.equal(await reading.read('countEvents', null), 3);
    assert.deepEqual(readdirSync(dirname(path)), listed);
    await refused(reading.write('addPackages', { count: 1 }), 'database_unavailable', /opened to be read/);
    await refused(reading.migrate(), 'database_unavailable', /opened to be read/);
    const server = await open(path);
    await server.write('addPackages', { count: 2 });
    assert.equal(await reading.read('countEvents', null), 5, 'what the server committed meanwhile is seen');
    await server.close();
    await reading.close();
  });

  test('are read on read-only media, and with a log that is not folded in the reason is told', (context) => {
    if (process.getuid?.() !== 0 || process.platform !== 'linux') return context.skip('only root can mount a folder read-only');
    return onReadOnlyMedia(async (place, path) => {
      const reading = await open(path, { readOnly: true });
      assert.equal(await reading.read('countEvents', null), 3);
      await reading.close();
      const server = await open(path);
      const { healthy, detail } = await server.health();
      assert.ok(!healthy && /read-only/.test(detail), detail);
      await server.close();
      const withLog = await open(join(place, 'with-log.db'), { readOnly: true });
      await refused(withLog.read('countEvents', null), 'database_unavailable', /with-log\.db-wal.* copy both/);
      await withLog.close();
    });
  });

  test('are put back by whoever may write when a write was cut off, and until then the reason is told', async () => {
    using place = newPlace();
    const { folder, path } = place;
    const database = await open(path, { migrate: true });
    await database.write('addPackages', { count: 3 });
    await database.close();
    const writer = new DatabaseSync(path);
    writer.exec('pragma journal_mode = delete; pragma cache_size = 1; begin; drop table events; create table filler (bytes blob)');
    for (let row = 0; row < 50; row++) writer.exec('insert into filler values (randomblob(8000))');
    const cutOff = join(folder, 'cut-off.db');
    for (const suffix of ['', '-journal']) copyFileSync(`${path}${suffix}`, `${cutOff}${suffix}`);
    writer.close();
    const reading = await open(cutOff, { readOnly: true });
    await refused(reading.read('countEvents', null), 'database_unavailable', /cut-off\.db was cut off; `artifactstore migrate`/);
    await reading.close();
    const server = await open(cutOff, { migrate: true });
    assert.equal(await server.read('countEvents', null), 3);
    await server.close();
  });

  test('say what is wrong with them', async () => {
    using place = newPlace();
    const { folder } = place;
    writeFileSync(join(folder, 'file'), '');
    writeFileSync(join(folder, 'notes'), 'no database at all '.repeat(300));
    const foreign = new DatabaseSync(join(folder, 'foreign.db'));
    foreign.exec('create table events (id integer); create table users (id integer)');
    const early = new DatabaseSync(join(folder, 'early.db'));
    early.exec('pragma journal_mode = wal; create table alembic_version (version_num text); create table artifact_packages (id text)');
    const other = new DatabaseSync(join(folder, 'foreign-too.db'));
    other.exec('create table users (id integer primary key autoincrement); create table a (b); create table c (d); create table e (f)');
    for (const database of [foreign, early, other]) database.close();
    const theirs = () =>
      readdirSync(folder).flatMap((name) => (/^(foreign|early)/.test(name) ? [name, readFileSync(join(folder, name), 'hex')] : []));
    const before = theirs();
    const cases: readonly (readonly [string, ErrorCode, RegExp])[] = [
      [folder, 'database_unavailable', /is a directory/],
      [join(folder, 'file', 'x.db'), 'database_unavailable', /something else is there|not a directory/],
      [join(folder, 'notes'), 'integrity_failure', /notes is damaged or is no SQLite database/],
      [join(folder, 'foreign.db'), 'invalid_configuration', /foreign\.db has tables of another program.*events/],
      [join(folder, 'foreign-too.db'), 'invalid_configuration', /too\.db is the database of another program: it has a, c, e and 1 more,/],
      [join(folder, 'early.db'), 'invalid_configuration', /artifactstore 0\.1/],
    ];
    for (const [path, code, message] of cases) await refused(open(path, { migrate: true }), code, message);
    for (const name of ['foreign.db', 'foreign-too.db', 'early.db']) {
      const unmigrated = await open(join(folder, name));
      await refused(unmigrated.read('countEvents', null), 'invalid_configuration', /another program|artifactstore 0\.1/);
      await refused(unmigrated.write('addPackages', { count: 1 }), 'invalid_configuration', /another program|artifactstore 0\.1/);
      await unmigrated.close();
    }
    assert.deepEqual(theirs(), before, 'nothing of it was changed, and nothing was made beside it');
    for (const path of [join(folder, 'none.db'), join(folder, 'file')]) {
      const reading = await open(path, { readOnly: true });
      const error = await refused(
        reading.read('countEvents', null),
        'database_not_migrated',
        /There is no database|no tables of artifactstore/,
      );
      assert.match(String(error.info?.hint), /right database/);
      await reading.close();
    }
  });
});

async function open(path: string, options: Partial<SqliteOptions> = {}): Promise<Database<FaultOperations>> {
  return await openSqlite<FaultOperations>({ path, operations: { url: faultOperationsUrl }, ...options });
}

async function refused(work: Promise<unknown>, code: ErrorCode, message: RegExp) {
  const error: unknown = await work.then(
    () => assert.fail('it was not refused'),
    (reason: unknown) => reason,
  );
  assert.ok(isArtifactstoreError(error, code), String(error));
  assert.match(error.message, message);
  return error;
}

function rowsOf(path: string): unknown {
  const database = new DatabaseSync(path, { readOnly: true });
  const row = database.prepare('select count(*) as count from events').get();
  database.close();
  return row?.count;
}

/** A folder with a database at rest and, as `with-log.db`, one whose events are in its log. */
async function onReadOnlyMedia(body: (folder: string, path: string) => Promise<void>): Promise<void> {
  using place = newPlace();
  const database = await open(place.path, { migrate: true });
  await database.write('addPackages', { count: 3 });
  const media = join(place.folder, 'media');
  mkdirSync(media);
  for (const suffix of ['', '-wal']) copyFileSync(`${place.path}${suffix}`, join(media, `with-log.db${suffix}`));
  await database.close();
  copyFileSync(place.path, join(media, 'registry.db'));
  execFileSync('mount', ['--bind', media, media]);
  try {
    execFileSync('mount', ['-o', 'remount,bind,ro', media]);
    await body(media, join(media, 'registry.db'));
  } finally {
    execFileSync('umount', [media]);
  }
}

function newPlace(): Disposable & { readonly folder: string; readonly path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-files-'));
  return { folder, path: join(folder, 'var', 'registry.db'), [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { type ViewTable, viewKeys } from '../../../src/kernel/views/view.ts';
import { execute } from '../../postgres-server.ts';
import { localRoot, openTestRegistry, type TestRegistry } from '../open-registry.ts';

/** What somebody does to the tables behind the registry's back. */
export interface Damage {
  run(statement: string): Promise<void>;
  rows(query: string): Promise<readonly unknown[]>;
  /** As a thief would: the safeguards of the log are taken away first. */
  tamper(statement: string): Promise<void>;
}

export interface Place {
  readonly store: TestRegistry;
  readonly damage: Damage;
}

const views = Object.keys(viewKeys) as ViewTable[];

/** What is lost behind the registry's back and comes back, on the database that `open` gives. */
export function rescueCases(name: string, open: () => Promise<Place>): void {
  describe(`rescue on ${name}`, () => {
    let place: Place;
    before(async () => {
      place = await open();
      await fill(place.store, 'p');
    });
    after(() => place.store.close());

    const dump = async () =>
      Object.fromEntries(await Promise.all(views.map(async (view) => [view, await place.damage.rows(ordered(view))])));
    /** Replay puts everything back that `statements` did. */
    const comesBack = async (statements: readonly string[], says?: RegExp) => {
      const { store, damage } = place;
      const good = await dump();
      for (const statement of statements) await damage.run(statement);
      if (says !== undefined) {
        const { status, db } = await store.as('somebody').health();
        assert.equal(status, 'degraded');
        assert.equal(db.healthy, false);
        assert.match(db.detail, says);
      }
      const { sequence } = await store.operator.verifyEvents();
      assert.deepEqual(await store.operator.replay(), { events: sequence, sequence });
      assert.deepEqual(await dump(), good);
      assert.equal((await store.as('somebody').health()).status, 'ok');
      await fill(store, 'later');
      assert.equal((await store.operator.verifyEvents()).ok, true);
    };

    it('makes a dropped view again, with its indexes, and health says what is missing until then', async () => {
      const indexes = await place.damage.rows(indexNames[name]!);
      await comesBack(['drop table artifact_files'], /lost artifact_files; run .artifactstore replay/);
      await comesBack(
        views.map((view) => `drop table ${view}`),
        /lost artifact_packages, package_metadata, .*; run .artifactstore replay/,
      );
      assert.deepEqual(await place.damage.rows(indexNames[name]!), indexes);
    });

    it('makes a dropped index again', async () => {
      const indexes = await place.damage.rows(indexNames[name]!);
      await comesBack(['drop index artifact_files_path', 'drop index storage_locations_object', 'drop index events_subject']);
      assert.deepEqual(await place.damage.rows(indexNames[name]!), indexes);
    });

    it('fills an emptied view again', async () => {
      await comesBack(['delete from storage_locations']);
      await comesBack(views.map((view) => `${name === 'SQLite' ? 'delete from' : 'truncate'} ${view}`));
    });

    it('takes back what was changed, added and deleted by hand', async () => {
      await comesBack([
        "update artifact_packages set status = 'created', total_bytes = 1, created_by = 'nobody'",
        "update storage_objects set state = 'dead', next_generation = 7",
        "delete from artifact_files where relative_path = 'a'",
        "insert into retention_holds (id, package_id, reason, owner, applied_at) values ('x', 'y', 'z', 'o', 'then')",
        'drop index artifact_packages_sequence',
        'update artifact_packages set created_sequence = 1',
      ]);
    });

    it('makes a lost head of the log again from the last event', async () => {
      const head = await place.damage.rows('select * from log_head');
      await place.damage.run('delete from log_head');
      await assert.rejects(
        fill(place.store, 'p'),
        (error) => isArtifactstoreError(error, 'database_unavailable') && /artifactstore replay/.test(error.message),
      );
      await place.store.operator.replay();
      assert.deepEqual(await place.damage.rows('select * from log_head'), head);
      await comesBack(['delete from log_head'], /lost its head; run .artifactstore replay/);
      await comesBack(['drop table log_head'], /lost log_head; run .artifactstore replay/);
    });

    it('makes lost operational tables again, empty', async () => {
      const lost = ['leases', 'uploads', 'idempotency_keys', 'dead_keys', 'block_digests', 'verification_progress', 'held_objects'];
      await comesBack(
        lost.map((table) => `drop table ${table}`),
        /lost leases, .*; run .artifactstore replay.*only in held_objects cannot be made again/,
      );
      for (const table of lost.slice(0, 4)) assert.deepEqual(await place.damage.rows(`select * from ${table}`), []);
    });

    it('runs beside writers of two stores, who lose nothing', async () => {
      const { store } = place;
      await using other = await openTestRegistry(environmentOf(store));
      const done = new AbortController();
      const written: string[] = [];
      const writing = [store, other].map(async (writer) => {
        for (let round = 0; !done.signal.aborted; round++) written.push(await fill(writer, `beside ${round}`));
      });
      for (let round = 0; round < 8 || written.length < 8; round++) await (round % 2 === 0 ? store : other).operator.replay();
      done.abort();
      await Promise.all(writing);
      for (const id of written) assert.equal((await other.as('reader').packages.get(id))?.status, 'finalized');
      assert.equal((await store.operator.verifyEvents()).ok, true);
      const live = await dump();
      await store.operator.replay();
      assert.deepEqual(await dump(), live);
    });

    for (const [what, statement, at] of [
      ['a payload was changed', `update events set payload = ${name === 'SQLite' ? "x'a0'" : "'\\xa0'"} where sequence = 3`, 3],
      ['an event is missing', 'delete from events where sequence = 2', 3],
      ['an event has another actor', "update events set actor = 'somebody else' where sequence = 4", 4],
      ['the last event is missing', 'delete from events where sequence = (select max(sequence) from events)', undefined],
    ] as const)
      it(`refuses a log where ${what}, and changes nothing`, async () => {
        const { store, damage } = place;
        const { sequence } = await store.operator.verifyEvents();
        const tables = ['artifact_packages', 'artifact_files', 'storage_locations', 'log_head', 'events'];
        const rest = () => Promise.all(tables.map((table) => damage.rows(`select * from ${table}`)));
        await damage.run('create table kept as select * from events');
        await damage.tamper(statement);
        await damage.run('drop table retention_holds');
        await damage.run("update artifact_packages set name = 'as it was'");
        const before = await rest();
        await assert.rejects(store.operator.replay(), (error) => {
          assert.ok(isArtifactstoreError(error, 'integrity_failure'), String(error));
          assert.deepEqual(error.info, { sequence: at ?? sequence - 1 });
          return true;
        });
        assert.deepEqual(await rest(), before);
        assert.match((await store.as('somebody').health()).db.detail, /lost retention_holds/);
        await damage.run('delete from events; insert into events select * from kept; drop table kept');
        assert.equal((await store.operator.replay()).sequence, sequence);
      });
  });
}

const indexNames: Readonly<Record<string, string>> = {
  SQLite: "select name, sql from sqlite_schema where type = 'index' order by name",
  PostgreSQL: "select indexname, indexdef from pg_indexes where schemaname = 'public' order by indexname",
};

function ordered(view: ViewTable): string {
  return `select * from ${view} order by ${viewKeys[view].join(', ')}`;
}

/** A package with two files, one of which has a hold: rows in every view but that of schemas. */
async function fill(store: TestRegistry, subject: string): Promise<string> {
  const registry = store.as('producer');
  const { record } = await registry.packages.create({
    name: 'n',
    producer: 'p',
    subject,
    retention_class: 'transient',
    metadata: { build: 1 },
  });
  for (const relative_path of ['a', 'b'])
    await registry.files.add(record.id, { relative_path, body: body(`${relative_path} of ${subject}`) });
  await registry.metadataSchemas.register({ slug: 'schema', json_schema: { type: 'object' } });
  await registry.packages.finalize(record.id);
  await registry.retention.hold(record.id, { reason: 'audit' });
  return record.id;
}

async function* body(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

/** That of a second store with the same database and the same storage. */
function environmentOf({ config }: TestRegistry): Readonly<Record<string, string>> {
  const { database } = config;
  return {
    ARTIFACTSTORE_DATABASE_URL: database.kind === 'sqlite' ? `sqlite:${database.path}` : database.url,
    ARTIFACTSTORE_STORAGE_LOCAL_ROOT: localRoot(config),
  };
}

export function sqliteDamage({ config }: TestRegistry): Damage {
  assert.ok(config.database.kind === 'sqlite');
  const { path } = config.database;
  const open = () => new DatabaseSync(path, { timeout: 5_000 });
  const run = async (statement: string) => {
    using database = open();
    database.exec(statement);
  };
  return {
    run,
    async rows(query) {
      using database = open();
      return database.prepare(query).all();
    },
    tamper: (statement) => run(`drop trigger if exists events_not_updated; drop trigger if exists events_not_deleted; ${statement}`),
  };
}

export function postgresDamage(url: string): Damage {
  const run = async (statement: string) => void (await execute(url, statement));
  return {
    run,
    rows: (query) => execute(url, query),
    tamper: (statement) => run(`drop trigger if exists events_not_changed on events; ${statement}`),
  };
}

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { checkBackupIn, restoreStore } from '../../../src/compose/restore-store.ts';
import { readConfig } from '../../../src/config/config.ts';
import { type PostgresServer, startPostgres } from '../../postgres-server.ts';
import { openStrictStore, type StrictStore } from '../../s3-stand-in/strict-store.ts';
import { dumpViews } from '../dump-views.ts';
import { openTestRegistry, type TestRegistry } from '../open-registry.ts';

// The commands are those of docs/operate/back-up.md, run while a writer writes and collections come between.

const compileCache = process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'artifactstore-test-compile-cache');
const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/operate/back-up.md'), 'utf8');
const section = page.slice(page.indexOf('## Backup and restore'), page.indexOf('## Moving to another'));
const [backup, restore, toPostgres, newDisk] = Array.from(section.matchAll(/```sh\n(.*?)```/gs), ([, script]) => script!) as [
  string,
  string,
  string,
  string,
];

describe('backup and restore', () => {
  let tools: string;
  let server: PostgresServer;
  before(async () => {
    tools = mkdtempSync(join(tmpdir(), 'artifactstore-tools-'));
    symlinkSync(join(root, 'bin/artifactstore.js'), join(tools, 'artifactstore'));
    symlinkSync(process.execPath, join(tools, 'node'));
    server = await startPostgres();
  });
  after(async () => {
    await server.stop();
    rmSync(tools, { recursive: true, force: true });
  });

  /** A recipe of the page as it stands, with its example paths and addresses in a place of the test's. */
  async function shell(directory: string, mounts: string, script: string, environment: Readonly<Record<string, string>> = {}) {
    assert.ok(script.startsWith('set -eu\n'));
    const env = { PATH: `${tools}:${process.env.PATH}`, HOME: directory, NODE_COMPILE_CACHE: compileCache, ...environment };
    return (await run('sh', ['-c', script.replaceAll('/mnt/', `${mounts}/`)], { cwd: directory, env })).stdout;
  }

  for (const kind of ['sqlite', 'postgresql'] as const) {
    it(`copies a registry on ${kind} that is written to and collected meanwhile, and brings it back`, async () => {
      const url = async (): Promise<Record<string, string>> =>
        kind === 'sqlite' ? {} : { ARTIFACTSTORE_DATABASE_URL: await server.createDatabase() };
      const environment = await url();
      await using store = await openTestRegistry(environment);
      using place = scratch();
      const life = startLife(store);
      await life.begin();
      for (let count = 0; count < 3; count++) await shell(store.directory, place.path, backup, environment);
      await life.end();
      const head = JSON.parse(readFileSync(join(place.path, 'backup/artifacts/backup.json'), 'utf8'));
      assert.equal(head.state, 'complete');
      await shell(store.directory, place.path, backup, environment);

      const elsewhere = join(place.path, 'elsewhere');
      mkdirSync(elsewhere);
      const other = await url();
      await shell(elsewhere, place.path, restore, other);
      await assert.rejects(shell(elsewhere, place.path, restore, other), { code: 4 });
      await using restored = await openTestRegistry({ ...environmentIn(elsewhere), ...other });
      await life.check(restored);
    });
  }

  it('moves a registry from SQLite to PostgreSQL and to a new disk, by the page', async () => {
    await using store = await openTestRegistry();
    using place = scratch();
    const life = startLife(store);
    await life.begin();
    await life.end();
    const url = await server.createDatabase();
    const moved = toPostgres.replace('postgresql://artifacts@db.example.org/artifacts', url);
    assert.notEqual(moved, toPostgres);
    await shell(store.directory, place.path, moved);
    await using onPostgres = await openTestRegistry({ ...environmentIn(store.directory), ARTIFACTSTORE_DATABASE_URL: url });
    await life.check(onPostgres);
    await shell(store.directory, place.path, newDisk, { ARTIFACTSTORE_DATABASE_URL: url });
    await using onNewDisk = await openTestRegistry({
      ARTIFACTSTORE_DATABASE_URL: url,
      ARTIFACTSTORE_STORAGE_LOCAL_ROOT: join(place.path, 'new/storage'),
    });
    await life.check(onNewDisk);
  });

  it('goes on after being killed, wherever, both ways', async () => {
    await using store = await openTestRegistry();
    using place = scratch();
    const registry = store.as('producer');
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'permanent-record' });
    for (let count = 0; count < 300; count++) await registry.files.add(record.id, { relative_path: `${count}`, body: body(`${count}`) });
    const killAfter = async (milliseconds: number, directory: string, ...args: readonly string[]) => {
      const env = { PATH: `${tools}:${process.env.PATH}`, NODE_COMPILE_CACHE: compileCache };
      const child = spawn('artifactstore', args, { cwd: directory, env, stdio: 'ignore' });
      const ended = once(child, 'exit');
      await Promise.race([sleep(milliseconds), ended]);
      child.kill('SIGKILL');
      await ended;
    };
    const target = join(place.path, 'b');
    for (const milliseconds of [300, 500, 600, 700, 800, 900]) await killAfter(milliseconds, store.directory, 'backup', target);
    const made = await store.operator.backup(target);
    assert.deepEqual([made.ok, made.objects], [true, 300]);
    assert.deepEqual((await checkBackupIn(target, { read: true })).problems, []);

    const elsewhere = join(place.path, 'elsewhere');
    mkdirSync(elsewhere);
    for (const milliseconds of [400, 500, 600, 700, 800]) {
      await killAfter(milliseconds, elsewhere, 'restore', '--resume', target);
      // Nothing that a server could take for the registry, or all of it.
      const database = join(elsewhere, 'var/artifactstore.db');
      if (!existsSync(database)) continue;
      const events = await openTestRegistryAt(elsewhere, async (half) => (await half.operator.verifyEvents()).sequence).catch(() => 0);
      assert.ok(events === 0 || events === made.sequence);
      if (events > 0) break;
    }
    const config = readConfig(environmentIn(elsewhere), { directory: elsewhere });
    await restoreStore(config, target, { resume: true }).catch((error: unknown) => {
      assert.equal((error as { readonly code?: string }).code, 'target_in_use', 'the last one that was killed was done');
    });
    assert.deepEqual(dumpViews(join(elsewhere, 'var/artifactstore.db')), dumpViews(join(store.directory, 'var/artifactstore.db')));
  });

  describe('with a bucket', () => {
    let bucket: StrictStore;
    before(async () => {
      bucket = await openStrictStore({ buckets: ['artifacts', 'other'] });
    });
    after(() => bucket.close());

    const inBucket = (name: string) => ({
      ARTIFACTSTORE_STORAGE_BACKENDS: 'local,s3',
      ARTIFACTSTORE_STORAGE_BACKEND_ROUTES: 'p:*=s3',
      ARTIFACTSTORE_S3_ENDPOINT_URL: bucket.url,
      ARTIFACTSTORE_S3_BUCKET: name,
      ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:ACCESS',
      ARTIFACTSTORE_S3_SECRET_KEY_REF: 'env:SECRET',
      ACCESS: bucket.accessKeyId,
      SECRET: bucket.secretAccessKey,
    });

    it('brings objects back into the backends that the log names, and says so when a bucket is unavailable', async () => {
      await using store = await openTestRegistry(inBucket('artifacts'));
      using place = scratch();
      const target = join(place.path, 'b');
      const life = startLife(store);
      await life.begin();
      assert.equal((await store.operator.backup(target)).ok, true);
      await life.end();
      // What is held is copied from the database, whatever the bucket does.
      await store.operator.settleHeld();
      bucket.setFaults({ resetConnection: true });
      await assert.rejects(store.operator.backup(join(place.path, 'away')), { code: 'storage_unavailable' });
      bucket.setFaults(undefined);
      assert.equal((await store.operator.backup(join(place.path, 'away'))).ok, true);
      assert.equal((await store.operator.backup(target)).ok, true);

      const elsewhere = join(place.path, 'elsewhere');
      mkdirSync(elsewhere);
      const alone = readConfig(environmentIn(elsewhere), { directory: elsewhere });
      await assert.rejects(restoreStore(alone, target, {}), { code: 'invalid_configuration' });
      const environment = { ...inBucket('other'), ...environmentIn(elsewhere) };
      assert.equal((await restoreStore(readConfig(environment, { directory: elsewhere }), target, {})).ok, true);
      await using restored = await openTestRegistry(environment);
      await life.check(restored);
    });
  });
});

interface Life {
  /** Something is acknowledged; more is written, given up and collected until the end. */
  begin(): Promise<void>;
  end(): Promise<void>;
  /** That a restored registry is whole, and has what was acknowledged before `begin` was over. */
  check(restored: TestRegistry): Promise<void>;
}

function startLife(store: TestRegistry): Life {
  const registry = store.as('producer');
  const first = new Map<string, string>();
  const stop = new AbortController();
  let number = 0;
  let writing = Promise.resolve();
  const add = async (text: string): Promise<string> => {
    const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'permanent-record' });
    await registry.files.add(record.id, { relative_path: 'f', body: body(text) });
    return record.id;
  };
  return {
    async begin() {
      for (let count = 0; count < 10; count++) {
        const text = `content ${number++}`;
        const id = await add(text);
        await registry.packages.finalize(id);
        first.set(id, text);
      }
      writing = (async () => {
        while (!stop.signal.aborted) {
          await registry.packages.finalize(await add(`content ${number++}`));
          await registry.packages.abandon(await add(`given up ${number++}`));
          await store.operator.collect();
        }
      })();
    },
    async end() {
      stop.abort();
      await writing;
    },
    async check(restored) {
      for (const [id, text] of first) assert.equal(await read(restored, id), text);
      assert.equal((await restored.operator.verifyEvents()).ok, true);
      for (const backend of (await restored.as('reader').health()).backends) {
        const { failed, missing } = await restored.operator.verifyStorage(backend.backend_id, { restart: true });
        assert.deepEqual({ failed, missing }, { failed: 0, missing: 0 });
      }
      assert.equal((await restored.as('reader').health()).status, 'ok');
      const { backends } = await restored.operator.collect();
      for (const { stored_bytes, live_bytes } of backends) assert.equal(stored_bytes, live_bytes);
      for (const [id, text] of first) assert.equal(await read(restored, id), text);
    },
  };
}

async function read(store: TestRegistry, package_id: string): Promise<string> {
  const opened = await store.as('reader').files.open({ package_id, relative_path: 'f' });
  return Buffer.concat(await Array.fromAsync(opened!.body, (chunk) => Buffer.from(chunk))).toString();
}

async function* body(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

async function openTestRegistryAt<R>(directory: string, work: (store: TestRegistry) => Promise<R>): Promise<R> {
  await using store = await openTestRegistry(environmentIn(directory));
  return await work(store);
}

function environmentIn(directory: string): Readonly<Record<string, string>> {
  return {
    ARTIFACTSTORE_DATABASE_URL: `sqlite:${join(directory, 'var/artifactstore.db')}`,
    ARTIFACTSTORE_STORAGE_LOCAL_ROOT: join(directory, 'var/storage'),
  };
}

function scratch(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'artifactstore-copies-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

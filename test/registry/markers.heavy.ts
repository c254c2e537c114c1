import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openStore } from '../../src/compose/open-store.ts';
import { readConfig } from '../../src/config/config.ts';
import type { File } from '../../src/registry/REGISTRY.ts';
import type { LocalBackendConfig } from '../../src/storage/local/kind.ts';
import { s3Settings } from '../s3-stand-in/settings.ts';
import { openStrictStore } from '../s3-stand-in/strict-store.ts';
import { localRoot, openTestRegistry, type TestRegistry } from './open-registry.ts';

/** Every file into its backend first. */
const direct = { ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0' };
const unavailable = { code: 'storage_unavailable' };

describe('a store belongs to one registry', () => {
  test('a root that is not mounted is no empty one: nothing is made, said to be missing, or joined there', async () => {
    await using store = await openTestRegistry(direct);
    const root = localRoot(store.config);
    const [file] = await add(store, 'bytes');
    const { last_sequence: before } = await store.as('x').events.page({ limit: 1 });
    await rename(root, `${root}-away`);
    for (const other of [store, await openStore(store.config)]) {
      assert.equal((await other.operator.claimStorage())[0]?.backend_id, 'local');
      const { status, db, backend } = await other.as('x').health();
      assert.deepEqual([status, db.healthy, backend.healthy], ['degraded', true, false]);
      assert.match(backend.detail, /has no marker of this registry, and 1 live object should lie there: is it mounted\?/);
      await assert.rejects(read(other, file!), unavailable);
      await assert.rejects(add(other, 'other bytes'), unavailable);
      const id = await newPackage(other);
      const { content_address, size_bytes } = file!;
      const attached = other.as('x').files.attach(id, [{ relative_path: 'f', content_address, size_bytes }]);
      await assert.rejects(attached, unavailable);
      await assert.rejects(other.operator.verifyStorage('local'), unavailable);
      await assert.rejects(other.operator.collect(), unavailable);
      await assert.rejects(other.operator.findOrphans('local', { delete: true }), unavailable);
      assert.equal(existsSync(root), false);
      if (other !== store) await other.close();
    }
    await rename(`${root}-away`, root);
    assert.equal(await read(store, file!), 'bytes');
    assert.equal((await store.as('x').health()).status, 'ok');
    const events = (await store.as('x').events.page({ since: before })).items.map(({ event_type }) => event_type);
    assert.ok(!events.some((type) => type.startsWith('v1.storage')), 'and no damage was recorded');
  });

  for (const kind of ['a directory', 'a bucket'] as const)
    test(`another database in front of ${kind} that is full deletes nothing`, async () => {
      await using bucket = await openStrictStore();
      const environment = {
        ...direct,
        ARTIFACTSTORE_STORAGE_BACKENDS: kind === 'a bucket' ? 's3' : 'local',
        ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: kind === 'a bucket' ? 's3' : 'local',
        ...s3Settings(bucket),
      };
      await using store = await openTestRegistry(environment);
      const [file] = await add(store, 'bytes');
      const config = readConfig({ ...environment, ARTIFACTSTORE_DATABASE_URL: 'sqlite:./other.db' }, { directory: store.directory });
      await using other = await openStore(config, { migrate: true });
      const backendId = config.defaultBackend;
      const marked = { ...unavailable, message: /belongs to registry .*; this is registry/ };
      await assert.rejects(other.operator.collect(), marked);
      await assert.rejects(other.operator.planCollection(), marked);
      await assert.rejects(add(other, 'x'), marked);
      await assert.rejects(other.operator.adoptStorage(backendId), marked);
      assert.match((await other.as('x').health()).backend.detail, /belongs to registry/);
      assert.equal(await read(store, file!), 'bytes');
    });

  test('a store without a marker is used when it was adopted, and not before', async () => {
    await using store = await openTestRegistry(direct);
    const root = localRoot(store.config);
    const [file] = await add(store, 'bytes');
    await rm(join(root, 'registry.json'));
    await assert.rejects(add(store, 'x'), unavailable);
    await assert.rejects(store.operator.collect(), unavailable);
    const plan = await store.operator.planAdoption('local');
    assert.deepEqual(
      [plan.marked, plan.stored_objects, plan.live_objects, plan.found_objects, plan.unknown_objects, plan.foreign_objects],
      [false, 1, 1, 1, 0, 0],
    );
    await store.operator.adoptStorage('local');
    assert.equal((await store.operator.planAdoption('local')).marked, true);
    assert.equal(await read(store, file!), 'bytes');

    // Of another registry, as after its database was lost.
    await using other = await openTestRegistry(direct);
    await cp(join(root, 'blake3'), join(localRoot(other.config), 'blake3'), { recursive: true });
    await assert.rejects(add(other, 'x'), { ...unavailable, message: /lie 1 object of which this registry \(.*\) knows nothing/ });
    const unknown = await other.operator.planAdoption('local');
    assert.deepEqual([unknown.found_objects, unknown.unknown_objects], [0, 1]);
    assert.equal(
      (await readdir(localRoot(other.config), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length,
      1,
    );
  });

  test('a store that was set up on one machine is not set up anew where it is not mounted, though no file is there yet', async () => {
    await using store = await openTestRegistry(direct);
    assert.deepEqual(await store.operator.claimStorage(), []);
    await using second = await openStore({
      ...store.config,
      backends: [{ ...store.config.backends[0]!, root: join(store.directory, 'unmounted') } as LocalBackendConfig],
    });
    await assert.rejects(add(second, 'x'), { ...unavailable, message: /no marker of this registry, which has used it before/ });
    assert.equal(existsSync(join(store.directory, 'unmounted')), false);
  });
});

describe('damage that is none', () => {
  test('bytes that were found bad are read again before a reader is refused, and recorded when they are good', async () => {
    await using store = await openTestRegistry(direct);
    for (const text of ['short', 'long '.repeat(400_000)]) {
      const [file] = await add(store, text);
      const path = join(localRoot(store.config), file!.locations[0]!.object_key);
      await rename(path, `${path}-away`);
      await assert.rejects(read(store, file!), { code: 'integrity_failure' });
      assert.equal(await stateOf(store, file!), 'failed');
      await rename(`${path}-away`, path);
      assert.equal(await read(store, file!), text);
      assert.equal(await stateOf(store, file!), 'verified');
      assert.equal((await store.as('x').health()).status, 'ok');

      await writeFile(path, text.replace(/.$/, '!'));
      for (let time = 0; time < 2; time++) await assert.rejects(read(store, file!), { code: 'integrity_failure' });
      assert.equal(await stateOf(store, file!), 'failed');
      await writeFile(path, text);
      // A long one that was bad a moment ago is not read for every reader.
      if (text === 'short') assert.equal(await read(store, file!), text);
      else await assert.rejects(read(store, file!), { code: 'integrity_failure' });
    }
  });

  test('a verification that finds nothing at all stops, records nothing, and goes on when it is told to', async () => {
    await using store = await openTestRegistry(direct);
    const root = localRoot(store.config);
    await add(store, ...Array.from({ length: 120 }, (_, index) => `text ${index}`));
    await rename(join(root, 'blake3'), join(store.directory, 'away'));
    const nothing = { ...unavailable, message: /Not one of the first 100 objects/ };
    await assert.rejects(store.operator.verifyStorage('local'), nothing);
    await assert.rejects(store.operator.verifyStorage('local', { jobs: 7 }), nothing);
    assert.equal((await store.as('x').health()).backend.failed_locations, 0);
    const counts = async (options = {}) => {
      const { objects, missing, cleared } = await store.operator.verifyStorage('local', options);
      return [objects, missing, cleared];
    };
    assert.deepEqual(await counts({ acceptMissing: true }), [120, 120, 0]);
    assert.equal((await store.as('x').health()).backend.failed_locations, 120);
    await rename(join(store.directory, 'away'), join(root, 'blake3'));
    assert.deepEqual(await counts(), [120, 0, 120]);
    await mkdir(join(store.directory, 'away'));
    const some = (await readdir(join(root, 'blake3'))).slice(0, 5);
    for (const name of some) await rename(join(root, 'blake3', name), join(store.directory, 'away', name));
    assert.equal((await counts())[1]! >= 5, true, 'some that are missing are found and recorded');
  });

  test('an object that a bucket cannot show is not damaged, and the others are verified', async () => {
    await using bucket = await openStrictStore();
    await using store = await openTestRegistry({
      ...direct,
      ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
      ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 's3',
      ...s3Settings(bucket),
    });
    const [file] = await add(store, 'one', 'two');
    bucket.setFaults({ status: 500, onlyKey: file!.locations[0]!.object_key });
    const { objects, failed, missing, unreadable } = await store.operator.verifyStorage('s3', { jobs: 1 });
    assert.deepEqual([objects, failed, missing, unreadable], [2, 0, 0, 1]);
    bucket.setFaults(undefined);
    assert.equal((await store.as('x').health()).status, 'ok');
    assert.equal(await read(store, file!), 'one');

    // Something that answers everything with a page, as a store would give it.
    for (const key of bucket.objects('artifacts')) bucket.place('artifacts', key, '<html>');
    await assert.rejects(read(store, file!), { ...unavailable, message: /is not the marker of a registry/ });
    await assert.rejects(store.operator.verifyStorage('s3'), unavailable);
    assert.equal(await stateOf(store, file!), 'stored');
  });
});

async function newPackage(store: Pick<TestRegistry, 'as'>): Promise<string> {
  const { record } = await store.as('x').packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
  return record.id;
}

async function add(store: Pick<TestRegistry, 'as'>, ...texts: readonly string[]): Promise<readonly File[]> {
  async function* files() {
    for (const [index, text] of texts.entries())
      yield {
        relative_path: `f${index}`,
        body: (async function* () {
          yield Buffer.from(text);
        })(),
      };
  }
  return (await store.as('x').files.addMany(await newPackage(store), files())).map(({ record }) => record);
}

async function read(store: Pick<TestRegistry, 'as'>, file: File): Promise<string> {
  const opened = await store.as('x').files.open({ file_id: file.id });
  return Buffer.concat(await Array.fromAsync(opened!.body, (chunk) => Buffer.from(chunk))).toString();
}

async function stateOf(store: Pick<TestRegistry, 'as'>, file: File): Promise<string> {
  return (await store.as('x').files.get(file.id))!.locations[0]!.state;
}

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import type { Database } from '../../../src/database/DATABASE.ts';
import { openSqlite } from '../../../src/database/sqlite/sqlite.ts';
import type { DataPlane } from '../../../src/dataplane/DATAPLANE.ts';
import { openDataPlane } from '../../../src/dataplane/streaming.ts';
import { administrator } from '../../../src/kernel/access.ts';
import { formatAddress } from '../../../src/kernel/content/address.ts';
import { blake3 } from '../../../src/kernel/content/digest.ts';
import { createRegistry, type LocalRegistry } from '../../../src/registry/local.ts';
import type { RegistryOperations } from '../../../src/registry/operations/operations.ts';
import { operationsUrl } from '../../../src/registry/operations/url.ts';
import { openMemoryStorage } from '../../../src/storage/memory.ts';
import type { Storage } from '../../../src/storage/STORAGE.ts';
import { dumpViews } from '../dump-views.ts';
import { createInterleaver, type Interleaver, seeded } from '../interleaver.ts';
import { usualParts } from '../usual-parts.ts';

const rounds = Number(process.env.ARTIFACTSTORE_TEST_ROUNDS ?? 12);
const backendIds = ['near', 'far'] as const;

/**
 * Two moves in one direction, one in the other, ingests, packages that are given up, a collection, readers, failures,
 * and deletes that come late and twice, in any order of the real steps. The rule: a file that somebody keeps has a live
 * location at all times, its object is live and its key in the store, no delete that is still to come can hit it, and
 * whoever reads it gets its bytes.
 */
describe('a file that is moved is always somewhere', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'artifactstore-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('in any order of steps, and the views are what the log says', async () => {
    const path = join(directory, 'real.db');
    await using world = await openWorld(path);
    for (let seed = 1; seed <= rounds; seed++) await live(world, seed);
    const views = dumpViews(path);
    await world.database.replay();
    assert.deepEqual(dumpViews(path), views);
  });

  it('which breaks when the move claims what it did not read', async () => {
    const operations = new URL('../operations-without-generations.ts', import.meta.url);
    await using world = await openWorld(join(directory, 'no-generations.db'), operations);
    await assert.rejects(async () => {
      for (let seed = 1; seed <= 300; seed++) await live(world, seed);
    }, /is claimed and|is live and/);
  });
});

interface World extends AsyncDisposable {
  readonly storages: ReadonlyMap<string, Storage>;
  readonly database: Database<RegistryOperations>;
  readonly dataplane: DataPlane;
  rows(query: string): readonly Readonly<Record<string, string>>[];
}

async function live(world: World, seed: number): Promise<void> {
  const random = seeded(seed);
  const interleaver = createInterleaver(random);
  /** Keys that were handed to a delete: it may come at any time, and again. */
  const doomed = new Set<string>();
  const registry = gatedRegistry(world, interleaver, doomed);
  const bytes = Buffer.from(`the same bytes ${seed}`);
  const content_address = formatAddress('blake3', blake3(bytes));
  const kept: string[] = [];
  const failing = seed % 2 === 0;

  async function readKept(reader: LocalRegistry): Promise<void> {
    const package_id = kept[Math.floor(random() * kept.length)];
    if (package_id === undefined) return;
    const opened = await reader.as(administrator('reader')).files.open({ package_id, relative_path: 'f' });
    for await (const chunk of opened!.body) assert.deepEqual(Buffer.from(chunk), bytes);
  }

  for (let ingest = 0; ingest < 2; ingest++)
    interleaver.start(async () => {
      const producer = registry.as(administrator('producer'));
      for (let time = 0; time < 2; time++) {
        const route = random() < 0.3 ? 'far' : 'near';
        const { record } = await producer.packages.create({ name: 'n', producer: route, subject: 's', retention_class: 'transient' });
        async function* body() {
          yield bytes;
        }
        await producer.files.add(record.id, { relative_path: 'f', body: body() });
        if (random() < 0.4) await producer.packages.abandon(record.id);
        else kept.push(record.id);
      }
    });
  for (const [from, to] of [
    ['near', 'far'],
    ['near', 'far'],
    ['far', 'near'],
  ] as const)
    interleaver.start(async () => {
      for (let time = 0; time < 2; time++) await registry.operator.move({ from, to });
    });
  interleaver.start(async () => {
    for (let time = 0; time < 3; time++) await registry.operator.collect();
  });
  // One that fails may be the only one: readers are asked only where none does.
  if (failing)
    interleaver.start(async () => {
      const [backend_id, generation] = [random() < 0.5 ? 'near' : 'far', Math.floor(random() * 2)];
      await interleaver.gate(`fail ${backend_id} ${generation}`, () =>
        world.database.write('object.fail', { actor: 'reader', backend_id, content_address, generation, reason: 'a bit flipped' }),
      );
    });
  else
    interleaver.start(async () => {
      for (let time = 0; time < 6; time++) {
        await interleaver.gate('look', () => Promise.resolve());
        await readKept(registry);
      }
    });

  await interleaver.run(async () => {
    const how = () => `seed ${seed}, after:\n  ${interleaver.trace.join('\n  ')}`;
    for (const key of doomed) {
      const [backendId = '', objectKey = ''] = key.split(' ');
      if (random() < 0.1) await world.storages.get(backendId)!.delete(objectKey);
    }
    const alive = new Set<string>();
    for (const { backend_id, object_key } of world.rows('select * from storage_objects where live_generation is not null')) {
      const key = `${backend_id} ${object_key}`;
      alive.add(key);
      assert.ok(!doomed.has(key), `${key} is live and a delete is still to come, ${how()}`);
      assert.ok((await world.storages.get(backend_id!)!.head(object_key!)) !== undefined, `${key} is live and not in the store, ${how()}`);
    }
    const homeless = new Set(kept);
    for (const location of world.rows("select * from storage_locations where state <> 'deleted'")) {
      const key = `${location.backend_id} ${location.object_key}`;
      assert.ok(alive.has(key), `${key} is claimed and not live, ${how()}`);
      homeless.delete(location.package_id!);
    }
    assert.equal(homeless.size, 0, `a file is nowhere, ${how()}`);
  });

  // With everybody done, one more collection leaves what the log says is there and nothing else, and all that was kept
  // can be read.
  await registry.settle();
  const free = registryOf(world.database, world.dataplane);
  for (const { stored_objects, live_objects } of (await free.operator.collect()).backends) assert.equal(stored_objects, live_objects);
  await free.operator.move({ from: 'near', to: 'far' });
  await free.settle();
  for (const package_id of kept) {
    const opened = await free.as(administrator('reader')).files.open({ package_id, relative_path: 'f' });
    for await (const chunk of opened!.body) assert.deepEqual(Buffer.from(chunk), bytes);
  }
  assert.deepEqual(world.rows("select * from storage_locations where backend_id = 'near' and state <> 'deleted'"), []);
}

async function openWorld(path: string, operations: URL = operationsUrl): Promise<World> {
  const storages = new Map(backendIds.map((id) => [id as string, openMemoryStorage({ id })]));
  const dataplane = openDataPlane({ backends: storages, spoolDirectory: `${path}-spool`, hashThreads: 0 });
  const database = await openSqlite<RegistryOperations>({ path, operations: { url: operations }, migrate: true });
  const views = new DatabaseSync(path, { readOnly: true });
  return {
    storages,
    database,
    dataplane,
    rows: (query) => views.prepare(query).all() as ReturnType<World['rows']>,
    async [Symbol.asyncDispose]() {
      views.close();
      await database.close();
      await dataplane.close();
    },
  };
}

/**
 * The real registry, its every call to database, disk and backend a step of the interleaver; the bytes of a copy are
 * read in one.
 */
function gatedRegistry({ database, dataplane }: World, interleaver: Interleaver, doomed: Set<string>): LocalRegistry {
  return registryOf(
    {
      ...database,
      write: (name, input) => interleaver.gate(`write ${name}`, () => database.write(name, input)),
      read: (name, input) => interleaver.gate(`read ${name}`, () => database.read(name, input)),
    },
    {
      ...dataplane,
      stage: (...input) => interleaver.gate('stage', () => dataplane.stage(...input)),
      publish: (draft, key) => interleaver.gate(`publish ${draft.backendId} ${key}`, () => dataplane.publish(draft, key)),
      check: (object) => interleaver.gate(`check ${object.backendId} ${object.objectKey}`, () => dataplane.check(object)),
      discard: (draft) => interleaver.gate('discard', () => dataplane.discard(draft)),
      remove(backendId, key) {
        doomed.add(`${backendId} ${key}`);
        return interleaver.gate(`remove ${backendId} ${key}`, () => dataplane.remove(backendId, key));
      },
      reclaimDrafts: (...input) => interleaver.gate('reclaim drafts', () => dataplane.reclaimDrafts(...input)),
      async *list(backendId) {
        yield* await interleaver.gate('list', () => Array.fromAsync(dataplane.list(backendId)));
      },
    },
  );
}

function registryOf(database: Database<RegistryOperations>, dataplane: DataPlane): LocalRegistry {
  return createRegistry({
    ...usualParts(...backendIds),
    database,
    dataplane,
    routeBackend: (producer) => producer,
    onIncident({ kind, message, error }) {
      if (kind !== 'object_damaged') throw new Error(message, { cause: error });
    },
  });
}

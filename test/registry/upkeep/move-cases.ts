import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { administrator } from '../../../src/kernel/access.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import type { File } from '../../../src/registry/REGISTRY.ts';
import type { MoveFailure } from '../../../src/registry/upkeep/OPERATOR.ts';
import { dumpViews } from '../dump-views.ts';
import { openTwoBackends, type TwoBackends } from '../two-backends.ts';

/** Moving files between two backends, on the database that `open` gives. */
export function moveCases(name: string, open: () => Promise<TwoBackends>): void {
  describe(`moving files to another backend on ${name}`, () => {
    it('copies the bytes, claims the new place, releases the old one, and leaves packages as they were', async () => {
      await using store = await open();
      const sealed = await fill(store, 'p', { a: 'one', b: 'two', large: 'x'.repeat(3_000_000), empty: '' });
      await store.as(administrator('x')).packages.finalize(sealed);
      const created = await fill(store, 'p', { a: 'one', c: 'three' });
      const held = await fill(store, 'p', { h: 'held' });
      await store.as(administrator('x')).retention.hold(held, { reason: 'audit' });
      const givenUp = await fill(store, 'p', { gone: 'given up' });
      await store.as(administrator('x')).packages.abandon(givenUp);
      const manifest = await store.as(administrator('x')).packages.manifest(sealed);
      const { changed_at: _, ...before } = { changed_at: null, ...(await store.as(administrator('x')).packages.get(sealed))! };

      const plan = await store.operator.planMove({ from: 'near', to: 'far' });
      const bytes = 3 + 3 + 3_000_000 + 5 + 4;
      assert.deepEqual(plan, {
        from: 'near',
        to: 'far',
        objects: 6,
        bytes,
        locations: 7,
        copy_objects: 6,
        copy_bytes: bytes,
        delete_objects: 6,
        delete_bytes: bytes,
      });
      const run = await store.operator.move({ from: 'near', to: 'far' });
      assert.deepEqual(run, {
        from: 'near',
        to: 'far',
        objects: 6,
        bytes,
        locations: 7,
        deleted_objects: 6,
        failed: 0,
        missing: 0,
        unreadable: 0,
        ...none,
      });
      for (const [id, path, text] of [
        [sealed, 'a', 'one'],
        [sealed, 'large', 'x'.repeat(3_000_000)],
        [sealed, 'empty', ''],
        [created, 'c', 'three'],
        [held, 'h', 'held'],
      ] as const)
        assert.equal(await read(store, id, path), text);
      const file = await find(store, sealed, 'a');
      assert.deepEqual(file.locations.map(({ backend_id, state }) => [backend_id, state]).sort(), [
        ['far', 'stored'],
        ['near', 'deleted'],
      ]);
      assert.deepEqual(await store.as(administrator('x')).packages.manifest(sealed), manifest);
      assert.deepEqual(await store.as(administrator('x')).packages.get(sealed), before);
      // What was given up stays for the collection; nothing else is there.
      assert.equal((await objectsIn(store, 'near')).length, 1);
      assertBalanced(await store.operator.collect());
      assert.equal((await objectsIn(store, 'near')).length, 0);
      const again = await store.operator.move({ from: 'near', to: 'far' });
      assert.deepEqual([again.objects, again.locations], [0, 0]);
      // A package that is sealed after the move names the place where its bytes are.
      await store.as(administrator('x')).packages.finalize(created);
      assert.equal((await store.operator.verifyStorage('far')).failed, 0);
      await assertReplays(store);
    });

    it('moves what matches, and leaves bytes to who still needs them', async () => {
      await using store = await open();
      const one = await fill(store, 'p1', { shared: 'both', own: 'one' });
      const two = await fill(store, 'p2', { shared: 'both' });
      const three = await fill(store, 'p2', { f: 'blink' }, 'blink');
      const plan = await store.operator.planMove({ from: 'near', to: 'far', producer: 'p1' });
      assert.deepEqual([plan.objects, plan.locations, plan.delete_objects], [2, 2, 1]);
      const run = await store.operator.move({ from: 'near', to: 'far', producer: 'p1' });
      assert.deepEqual([run.objects, run.locations, run.deleted_objects], [2, 2, 1]);
      assert.deepEqual([await places(store, one, 'shared'), await places(store, two, 'shared')], [['far'], ['near']]);
      assert.equal((await store.operator.move({ from: 'near', to: 'far', retentionClass: 'blink' })).objects, 1);
      assert.deepEqual(await places(store, three, 'f'), ['far']);
      const joined = await store.operator.planMove({ from: 'near', to: 'far', packageId: two });
      assert.deepEqual([joined.objects, joined.copy_objects], [1, 0]);
      assert.equal((await store.operator.move({ from: 'near', to: 'far', packageId: two })).deleted_objects, 1);
      assert.equal((await objectsIn(store, 'far')).length, 3);
      for (const id of [one, two]) assert.equal(await read(store, id, 'shared'), 'both');
      await assertReplays(store);
    });

    it('reports what is damaged or missing, records it, and goes on', async () => {
      await using store = await open();
      const id = await fill(store, 'p', { good: 'good', bad: 'bad bytes', gone: 'gone bytes' });
      await writeFile(store.pathOf('near', await find(store, id, 'bad')), 'BAD bytes');
      await rm(store.pathOf('near', await find(store, id, 'gone')));
      for (const _ of [1, 2]) {
        const failures: MoveFailure[] = [];
        const run = await store.operator.move({ from: 'near', to: 'far', onFailure: (failure) => failures.push(failure) });
        assert.deepEqual([run.failed, run.missing, run.left_objects], [1, 1, 2]);
        assert.deepEqual(
          failures.map(({ backend_id }) => backend_id),
          ['near', 'near'],
        );
      }
      assert.deepEqual(await places(store, id, 'good'), ['far']);
      assert.deepEqual(
        (await find(store, id, 'bad')).locations.map(({ state }) => state),
        ['failed'],
      );
      assert.deepEqual(await objectsIn(store, 'far'), [(await find(store, id, 'good')).locations.at(-1)!.object_key]);
      // Good bytes at the target are as good as at the source.
      await fill(store, 'far', { again: 'bad bytes' });
      const run = await store.operator.move({ from: 'near', to: 'far' });
      assert.deepEqual([run.objects, run.failed, run.missing], [1, 0, 1]);
      assert.equal(await read(store, id, 'bad'), 'bad bytes');
      await assertReplays(store);
    });

    it('reads what is live at the target before it releases anything, and repairs it there', async () => {
      await using store = await open();
      const here = await fill(store, 'p', { f: 'the bytes' });
      const there = await fill(store, 'far', { f: 'the bytes' });
      await writeFile(store.pathOf('far', await find(store, there, 'f')), 'THE bytes');
      assert.equal((await store.operator.move({ from: 'near', to: 'far' })).objects, 1);
      for (const id of [here, there]) assert.equal(await read(store, id, 'f'), 'the bytes');
      assert.match((await find(store, here, 'f')).locations.at(-1)!.object_key, /\.1$/);
      await assertReplays(store);
    });

    it('keeps the old bytes when the copy does not read back', async () => {
      await using store = await open();
      const id = await fill(store, 'p', { f: 'precious' });
      const lying = store.over({
        dataplane: {
          ...store.dataplane,
          async publish(draft, key) {
            await store.dataplane.publish(draft, key);
            await rm(join(store.rootOf('far'), key));
            await writeFile(join(store.rootOf('far'), key), 'PRECIOUS');
          },
        },
      });
      const failures: MoveFailure[] = [];
      const run = await lying.operator.move({ from: 'near', to: 'far', onFailure: (failure) => failures.push(failure) });
      await lying.settle();
      assert.deepEqual([run.objects, run.failed, run.left_objects], [0, 1, 1]);
      assert.deepEqual(
        failures.map(({ backend_id }) => backend_id),
        ['far'],
      );
      assert.deepEqual(await places(store, id, 'f'), ['near']);
      assert.equal(await read(store, id, 'f'), 'precious');
      assert.deepEqual(await objectsIn(store, 'far'), []);
      assert.equal((await store.operator.move({ from: 'near', to: 'far' })).objects, 1);
      assert.equal(await read(store, id, 'f'), 'precious');
    });

    it('leaves no bytes behind that it copied in vain', async () => {
      await using store = await open();
      const id = await fill(store, 'p', { f: 'given up meanwhile' });
      const late = store.over({
        dataplane: {
          ...store.dataplane,
          async check(...input) {
            await store.as(administrator('x')).packages.abandon(id);
            await store.database.write('collect.release', { actor: 'x', limit: 10 });
            return await store.dataplane.check(...input);
          },
        },
      });
      assert.equal((await late.operator.move({ from: 'near', to: 'far' })).objects, 0);
      assert.deepEqual(await objectsIn(store, 'far'), []);
      await assertReplays(store);
    });

    it('goes on where a stopped run was', async () => {
      await using store = await open();
      const ids: string[] = [];
      for (let index = 0; index < 30; index++) ids.push(await fill(store, 'p', { f: `content ${index}` }));
      const stop = new AbortController();
      let reads = 0;
      const slow = store.over({
        dataplane: {
          ...store.dataplane,
          check(...input) {
            reads += 1;
            if (reads === 12) stop.abort(new Error('stopped'));
            return store.dataplane.check(...input);
          },
        },
      });
      await assert.rejects(slow.operator.move({ from: 'near', to: 'far', signal: stop.signal, jobs: 3 }), /stopped|Stopped|cancelled/);
      await slow.settle();
      const left = await store.operator.planMove({ from: 'near', to: 'far' });
      assert.ok(left.objects > 0 && left.objects < 30, `${left.objects} are left`);
      assert.equal((await store.operator.move({ from: 'near', to: 'far' })).objects, left.objects);
      for (const [index, id] of ids.entries()) assert.equal(await read(store, id, 'f'), `content ${index}`);
      assertBalanced(await store.operator.collect());
      assert.deepEqual(await readdir(join(store.rootOf('far'), 'drafts')), []);
    });

    it('moves thousands of files with the same bytes, in steps', async () => {
      await using store = await open();
      const files = Object.fromEntries(
        Array.from({ length: 2300 }, (_, index) => [`f${index}`, index % 2 === 0 ? 'even' : `odd ${index % 9}`]),
      );
      const id = await fill(store, 'p', files);
      const run = await store.operator.move({ from: 'near', to: 'far' });
      assert.deepEqual([run.objects, run.locations, run.deleted_objects], [10, 2300, 10]);
      assert.equal(await read(store, id, 'f2298'), 'even');
      await assertReplays(store);
    });

    it('shares the work between two runs, and does no harm in both directions at once', async () => {
      await using store = await open();
      const ids: string[] = [];
      for (let index = 0; index < 40; index++) ids.push(await fill(store, index % 2 === 0 ? 'p' : 'far', { f: `content ${index % 30}` }));
      const runs = await Promise.all([1, 2].map(() => store.operator.move({ from: 'near', to: 'far' })));
      assert.equal(
        runs.reduce((sum, run) => sum + run.locations, 0),
        20,
      );
      await Promise.all([
        store.operator.move({ from: 'near', to: 'far' }),
        store.operator.move({ from: 'far', to: 'near' }),
        store.operator.collect(),
      ]);
      for (const [index, id] of ids.entries()) assert.equal(await read(store, id, 'f'), `content ${index % 30}`);
      await store.settle();
      assertBalanced(await store.operator.collect());
      await assertReplays(store);
    });

    it('lets a reader go on who looked before the move', async () => {
      await using store = await open();
      const id = await fill(store, 'p', { f: 'still here' });
      let moved = false;
      const late = store.over({
        dataplane: {
          ...store.dataplane,
          async open(object, range, signal) {
            if (!moved) await store.operator.move({ from: 'near', to: 'far' });
            moved = true;
            return await store.dataplane.open(object, range, signal);
          },
        },
      });
      const opened = await late.as(administrator('reader')).files.open({ package_id: id, relative_path: 'f' });
      assert.equal(await textOf(opened!.body), 'still here');
      assert.deepEqual((await find(store, id, 'f')).locations.map(({ state }) => state).sort(), ['deleted', 'stored']);
    });

    it('refuses what makes no sense', async () => {
      await using store = await open();
      const refused = async (target: Parameters<TwoBackends['operator']['planMove']>[0], code: 'invalid_value' | 'package_not_found') => {
        await assert.rejects(store.operator.planMove(target), (error) => isArtifactstoreError(error, code));
        await assert.rejects(store.operator.move(target), (error) => isArtifactstoreError(error, code));
      };
      await refused({ from: 'near', to: 'near' }, 'invalid_value');
      await refused({ from: 'near', to: 'elsewhere' }, 'invalid_value');
      await refused({ from: 'near', to: 'far', packageId: crypto.randomUUID() }, 'package_not_found');
    });
  });
}

it('moves objects whose primary digest is another', async () => {
  const first = await openTwoBackends({ digestAlgorithm: 'sha256' });
  const id = await fill(first, 'p', { f: 'of another time' });
  const second = await openTwoBackends({ directory: first.directory });
  assert.equal((await second.operator.move({ from: 'near', to: 'far' })).objects, 1);
  assert.equal(await read(second, id, 'f'), 'of another time');
  assert.match((await find(second, id, 'f')).locations.at(-1)!.object_key, /^sha256/);
  await second.close();
  await first.close();
});

it('does not move what was collected', async () => {
  await using store = await openTwoBackends();
  const id = await fill(store, 'p', { f: 'over' }, 'blink');
  await store.as(administrator('x')).packages.finalize(id);
  await sleep(1100);
  await store.operator.sweep();
  const run = await Promise.all([store.operator.collect(), store.operator.move({ from: 'near', to: 'far' })]);
  assert.deepEqual(run[0].collected_package_ids, [id]);
  assertBalanced(await store.operator.collect());
  assert.deepEqual([await objectsIn(store, 'near'), await objectsIn(store, 'far')], [[], []]);
});

const none = { left_objects: 0, left_bytes: 0 };

async function fill(
  store: TwoBackends,
  producer: string,
  files: Readonly<Record<string, string>>,
  retention_class = 'transient',
): Promise<string> {
  const registry = store.as(administrator('producer'));
  const { record } = await registry.packages.create({ name: 'n', producer, subject: 's', retention_class });
  await registry.files.addMany(
    record.id,
    (async function* () {
      for (const [relative_path, text] of Object.entries(files)) yield { relative_path, body: bodyOf(text) };
    })(),
  );
  return record.id;
}

async function* bodyOf(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

async function read(store: TwoBackends, package_id: string, relative_path: string): Promise<string> {
  return await textOf((await store.as(administrator('reader')).files.open({ package_id, relative_path }))!.body);
}

async function find(store: TwoBackends, id: string, path: string): Promise<File> {
  return (await store.as(administrator('reader')).files.find(id, path))!;
}

async function places(store: TwoBackends, id: string, path: string): Promise<string[]> {
  return (await find(store, id, path)).locations.filter(({ state }) => state !== 'deleted').map(({ backend_id }) => backend_id);
}

async function objectsIn(store: TwoBackends, backendId: 'near' | 'far'): Promise<string[]> {
  const { length } = store.rootOf(backendId);
  const paths = await readdir(store.rootOf(backendId), { recursive: true, withFileTypes: true });
  return paths
    .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('drafts'))
    .map((entry) => join(entry.parentPath, entry.name).slice(length + 1));
}

function assertBalanced({ backends }: Awaited<ReturnType<TwoBackends['operator']['collect']>>): void {
  for (const backend of backends) assert.equal(backend.stored_objects, backend.live_objects, backend.backend_id);
}

/** What users see is the same after a replay; of SQLite, every view byte for byte. */
async function assertReplays(store: TwoBackends): Promise<void> {
  await store.settle();
  const look = async () => {
    const { items } = await store.as(administrator('reader')).packages.list({ limit: 1000 });
    const files = await Promise.all(
      items.map(async ({ id }) => (await store.as(administrator('reader')).files.list(id, { limit: 1000 })).items),
    );
    const path = join(store.directory, 'artifactstore.db');
    const embedded = await readFile(path).then(
      () => true,
      () => false,
    );
    return { items, files, views: embedded ? dumpViews(path) : undefined, live: await store.database.read('collect.count_live', {}) };
  };
  const live = await look();
  assert.equal((await store.operator.verifyEvents()).ok, true);
  await store.operator.replay();
  assert.deepEqual(await look(), live);
}

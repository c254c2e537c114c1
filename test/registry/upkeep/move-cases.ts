import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { administrator } from '../../../src/kernel/access.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { openTwoBackends, type TwoBackends } from '../two-backends.ts';
import { disturbedMoveCases } from './disturbed-move-cases.ts';
import { assertBalanced, assertReplays, fill, find, objectsIn, places, read } from './moved-files.ts';

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

    disturbedMoveCases(open);

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

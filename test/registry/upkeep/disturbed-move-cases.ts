import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { administrator } from '../../../src/kernel/access.ts';
import type { MoveFailure } from '../../../src/registry/upkeep/OPERATOR.ts';
import type { TwoBackends } from '../two-backends.ts';
import { assertBalanced, assertReplays, fill, find, objectsIn, places, read, textOf } from './moved-files.ts';

/** Moves that find damage, are stopped, or meet others, on the database that `open` gives. */
export function disturbedMoveCases(open: () => Promise<TwoBackends>): void {
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
}

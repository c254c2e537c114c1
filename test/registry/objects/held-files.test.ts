import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { settleHeld } from '../../../src/registry/objects/settler.ts';
import { type HeldWorld, namesOf, openHeldWorld } from '../held-world.ts';

describe('a small file', () => {
  it('is committed with its event, read from there, and put into its backend behind the answer', async () => {
    await using world = await openHeldWorld();
    const id = await world.newPackage();
    const contents = {
      hello: Buffer.from('hello'),
      empty: Buffer.alloc(0),
      longest: Buffer.alloc(65_536, 1),
      longer: Buffer.alloc(65_537, 2),
    };
    for (const [path, bytes] of Object.entries(contents)) await world.add(id, path, bytes);
    assert.equal(world.held().length, 3);
    assert.equal((await world.stored()).length, 1);
    const verified = await world.registry.operator.verifyStorage('memory');
    assert.deepEqual([verified.objects, verified.missing, verified.failed], [4, 0, 0]);
    const range = await world.user.files.open({ package_id: id, relative_path: 'hello' }, { range: { first: 1, last: 3 } });
    assert.equal(Buffer.concat(await Array.fromAsync(range!.body)).toString(), 'ell');
    for (const [path, bytes] of Object.entries(contents)) assert.deepEqual(await world.read(id, path), bytes);
    await world.settle();
    assert.deepEqual(world.held(), []);
    assert.equal((await world.stored()).length, 4);
    for (const [path, bytes] of Object.entries(contents)) assert.deepEqual(await world.read(id, path), bytes);
    assert.deepEqual(world.incidents, []);
  });

  it('of bytes that are there joins them', async () => {
    await using world = await openHeldWorld();
    const id = await world.newPackage();
    await world.add(id, 'first', Buffer.from('same'));
    await world.add(id, 'second', Buffer.from('same'));
    assert.equal(world.held().length, 1);
    await world.settle();
    await world.add(id, 'third', Buffer.from('same'));
    assert.deepEqual([world.held().length, (await world.stored()).length], [0, 1]);
  });

  it('whose digest is not the declared one is refused, and holds nothing', async () => {
    await using world = await openHeldWorld();
    const id = await world.newPackage();
    async function* body() {
      yield Buffer.from('text');
    }
    const wrong = { relative_path: 'f', body: body(), digests: new Map([['sha256', new Uint8Array(32)]]) };
    await assert.rejects(world.user.files.add(id, wrong), (error) => isArtifactstoreError(error, 'digest_mismatch'));
    await assert.rejects(world.user.files.add(id, { relative_path: 'f', body: body(), size_bytes: 3 }), (error) =>
      isArtifactstoreError(error, 'length_mismatch'),
    );
    assert.deepEqual([world.held().length, (await world.stored()).length], [0, 0]);
  });

  it('comes with many others in one request, those too that are long', async () => {
    await using world = await openHeldWorld();
    const id = await world.newPackage();
    const files = [...Array(20).keys()].map((index) => ({
      path: `f${index}`,
      bytes: Buffer.alloc(index === 7 ? 300_000 : index + 1, index),
    }));
    const added = await world.user.files.addMany(
      id,
      (async function* () {
        for (const { path, bytes } of files)
          yield {
            relative_path: path,
            body: (async function* () {
              yield bytes;
            })(),
          };
      })(),
    );
    assert.ok(added.every(({ created }) => created));
    assert.deepEqual([world.held().length, (await world.stored()).length], [19, 1]);
    for (const { path, bytes } of files) assert.deepEqual(await world.read(id, path), bytes);
  });
});

describe('what is held', () => {
  it('goes with the release of its object', async () => {
    await using world = await openHeldWorld();
    const id = await world.newPackage();
    await world.add(id, 'f', Buffer.from('gone'));
    await world.user.packages.abandon(id);
    await world.registry.operator.collect();
    assert.deepEqual([world.held(), await world.stored()], [[], []]);
  });

  it('outlives a replay', async () => {
    await using world = await openHeldWorld();
    const id = await world.newPackage();
    await world.add(id, 'f', Buffer.from('kept'));
    await world.registry.operator.replay();
    assert.equal(world.held().length, 1);
    assert.deepEqual(await world.read(id, 'f'), Buffer.from('kept'));
  });

  it('is deleted again from its backend when its key died while it was put there', async () => {
    await using world = await openHeldWorld();
    const id = await world.newPackage();
    await world.add(id, 'f', Buffer.from('late'));
    const names = await namesOf(world);
    let died = false;
    const dataplane: HeldWorld['dataplane'] = {
      ...world.dataplane,
      async settle(...input) {
        await world.user.packages.abandon(id);
        await world.registry.operator.collect();
        died = true;
        await world.dataplane.settle(...input);
      },
    };
    await settleHeld({ ...world.parts, dataplane }, names);
    assert.ok(died);
    assert.deepEqual([world.held(), await world.stored()], [[], []]);
  });

  it('is left in its backend when somebody else has settled it', async () => {
    await using world = await openHeldWorld();
    const id = await world.newPackage();
    const bytes = Buffer.from('twice');
    await world.add(id, 'f', bytes);
    const names = await namesOf(world);
    const dataplane: HeldWorld['dataplane'] = {
      ...world.dataplane,
      async settle(...input) {
        await settleHeld(world.parts, names);
        await world.dataplane.settle(...input);
      },
    };
    await settleHeld({ ...world.parts, dataplane }, names);
    assert.equal((await world.stored()).length, 1);
    assert.deepEqual(await world.read(id, 'f'), bytes);
  });

  it('is not put anywhere when it is damaged; good bytes repair it', async () => {
    await using world = await openHeldWorld();
    const id = await world.newPackage();
    const bytes = Buffer.from('good');
    await world.add(id, 'f', bytes);
    world.run("update held_objects set bytes = x'62616421'");
    await world.settle();
    assert.deepEqual(await world.stored(), []);
    assert.deepEqual(
      world.incidents.map(({ kind }) => kind),
      ['held_unsettled'],
    );
    await assert.rejects(world.read(id, 'f'), (error) => isArtifactstoreError(error, 'integrity_failure'));
    assert.equal((await world.user.health()).backend.failed_locations, 1);
    await world.add(id, 'g', bytes);
    assert.equal(world.held().length, 1);
    for (const path of ['f', 'g']) assert.deepEqual(await world.read(id, path), bytes);
    await world.settle();
    assert.equal((await world.stored()).length, 1);
    for (const path of ['f', 'g']) assert.deepEqual(await world.read(id, path), bytes);
  });
});

describe('what is held counts as stored', () => {
  it('in the report of a collection, before and after it is put', async () => {
    await using world = await openHeldWorld();
    const id = await world.newPackage();
    await world.add(id, 'f', Buffer.from('counted'));
    const report = { backend_id: 'memory', stored_objects: 1, stored_bytes: 7, live_objects: 1, live_bytes: 7 };
    assert.deepEqual((await world.registry.operator.collect()).backends, [report]);
    // Put and not forgotten yet, it is counted once.
    await world.dataplane.settle('memory', world.held()[0]!, Buffer.from('counted'));
    assert.deepEqual((await world.registry.operator.collect()).backends, [report]);
    await world.settle();
    assert.deepEqual((await world.registry.operator.collect()).backends, [report]);
    assert.deepEqual((await world.registry.operator.findOrphans('memory')).orphan_keys, []);
  });

  it('and is no sign that the store is the right one', async () => {
    await using world = await openHeldWorld();
    const id = await world.newPackage();
    await Promise.all([...Array(101).keys()].map((index) => world.add(id, `f${index}`, Buffer.from(`${index}`))));
    await world.settle();
    await world.add(id, 'last', Buffer.from('held'));
    for (const key of await world.stored()) await world.storage.delete(key);
    await assert.rejects(
      world.registry.operator.verifyStorage('memory', { jobs: 1 }),
      (error) => isArtifactstoreError(error, 'storage_unavailable') && /Not one of the first 100 objects/.test(error.message),
    );
    assert.equal((await world.user.health()).backend.failed_locations, 0);
  });
});

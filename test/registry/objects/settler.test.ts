import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { administrator } from '../../../src/kernel/access.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../../src/kernel/error.ts';
import type { Settler } from '../../../src/registry/context.ts';
import { createSettler } from '../../../src/registry/objects/settler.ts';
import type { NewFile } from '../../../src/registry/REGISTRY.ts';
import { namesOf, openHeldWorld } from '../held-world.ts';

describe('a settler', () => {
  it('puts what its registry holds; a backend that is unavailable gets it later', async () => {
    let away = true;
    await using world = await openHeldWorld({
      storage: (memory) => {
        const refuse = () => {
          if (away) throw new ArtifactstoreError('storage_unavailable', 'away');
        };
        return {
          ...memory,
          async put(...input) {
            refuse();
            await memory.put(...input);
          },
          async get(...input) {
            refuse();
            return await memory.get(...input);
          },
        };
      },
    });
    const id = await world.newPackage();
    const before = await world.add(id, 'before', Buffer.from('before'));
    const settler = createSettler(world.parts);
    try {
      const other = world.over({ settler }).as(administrator('other'));
      await other.files.add(id, {
        relative_path: 'f',
        body: (async function* () {
          yield Buffer.from('held');
        })(),
      });
      await settler.drain(60_000);
      assert.equal(world.held().length, 2);
      assert.deepEqual(await world.read(id, 'f'), Buffer.from('held'));
      assert.deepEqual(
        world.incidents.map(({ kind }) => kind),
        ['held_unsettled'],
      );
      away = false;
      await settler.drain(60_000);
      // Its own; what it did not hold itself it finds later.
      assert.deepEqual(world.held(), [before.locations[0]!.object_key]);
      assert.deepEqual(await world.read(id, 'f'), Buffer.from('held'));
    } finally {
      settler.close();
    }
  });

  it('holds nothing more for a backend that is full, whose files are refused as without it', async () => {
    let full = true;
    await using world = await openHeldWorld({
      storage: (memory) => ({
        ...memory,
        async put(...input) {
          if (full) throw new ArtifactstoreError('storage_full', 'full');
          await memory.put(...input);
        },
      }),
    });
    const id = await world.newPackage();
    const settler = createSettler(world.parts);
    try {
      const { files } = world.over({ settler }).as(administrator('other'));
      const add = (path: string) =>
        files.add(id, {
          relative_path: path,
          body: (async function* () {
            yield Buffer.from(path);
          })(),
        });
      await add('first');
      await settler.drain(60_000);
      await assert.rejects(add('second'), (error) => isArtifactstoreError(error, 'storage_full'));
      assert.equal(world.held().length, 1);
      full = false;
      await settler.drain(60_000);
      await add('second');
      assert.deepEqual([world.held().length, (await world.stored()).length], [1, 1]);
    } finally {
      settler.close();
    }
  });

  it('finds what a process that was stopped has left', async () => {
    await using world = await openHeldWorld();
    const id = await world.newPackage();
    await world.add(id, 'f', Buffer.from('left'));
    const settler = createSettler(world.parts, { leftMilliseconds: 20 });
    try {
      settler.watch();
      while (world.held().length > 0) {
        await pause(20);
        await settler.drain(60_000);
      }
      assert.equal((await world.stored()).length, 1);
    } finally {
      settler.close();
    }
  });

  it('begins in a burst that does not end when much waits', { timeout: 60_000 }, async () => {
    await using world = await openHeldWorld();
    const id = await world.newPackage();
    await world.add(id, 'f', Buffer.from('one of many'));
    // No time passes: more comes all the time, since no time at all.
    const settler = createSettler({ ...world.parts, uptime: () => 0 });
    try {
      const [name] = await namesOf(world);
      settler.wake([name!]);
      await pause(1500);
      assert.equal(world.held().length, 1, 'it does not wait for the end of a burst');
      settler.wake([{ ...name!, sequence: name!.sequence + 1_000_000, size_bytes: 67_108_864 }]);
      while (world.held().length > 0) await pause(20);
      assert.equal((await world.stored()).length, 1);
      await world.add(id, 'g', Buffer.from('one of few'));
      settler.wake(await namesOf(world));
      await pause(1500);
      assert.equal(world.held().length, 1, 'what is settled counts as waiting');
    } finally {
      settler.close();
    }
  });

  it('gives way to whoever writes, also in its middle, and continues after it', { timeout: 60_000 }, async () => {
    let writing = true;
    let written: Promise<void> | undefined;
    /** While somebody writes no time passes that could be taken for a pause, however busy this machine is. */
    let stoppedAt: number | undefined;
    await using world = await openHeldWorld({
      storage: (memory) => ({
        ...memory,
        async put(...input) {
          written ??= write();
          await first.promise;
          await memory.put(...input);
        },
      }),
    });
    const first = Promise.withResolvers<void>();
    const settler = createSettler({ ...world.parts, uptime: () => stoppedAt ?? performance.now() });
    const other = world.over({ settler }).as(administrator('other'));
    async function write(): Promise<void> {
      stoppedAt = performance.now();
      for (; writing; await pause(20)) {
        await other.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
        first.resolve();
      }
    }
    try {
      await world.user.files.addMany(await world.newPackage(), many(129));
      settler.wake(await namesOf(world));
      while ((await world.stored()).length < 128) await pause(20);
      await pause(1000);
      assert.equal((await world.stored()).length, 128, 'it does not continue beside a writer');
      writing = false;
      await written;
      stoppedAt = undefined;
      while (world.held().length > 0) await pause(20);
      assert.equal((await world.stored()).length, 129);
    } finally {
      writing = false;
      settler.close();
    }
  });

  it('leaves alone what is held for a backend that is not configured, until it is', async () => {
    await using world = await openHeldWorld();
    const id = await world.newPackage();
    await world.add(id, 'f', Buffer.from('kept'));
    const settlers = [['other'], ['memory']].map((backendIds) => createSettler({ ...world.parts, backendIds }, { leftMilliseconds: 20 }));
    const [without, having] = settlers as [Settler, Settler];
    try {
      without.watch();
      await pause(200);
      await without.drain(60_000);
      assert.deepEqual([world.held().length, (await world.stored()).length, world.incidents.length], [1, 0, 0]);
      having.watch();
      while (world.held().length > 0) {
        await pause(20);
        await having.drain(60_000);
      }
      assert.deepEqual(await world.read(id, 'f'), Buffer.from('kept'));
    } finally {
      for (const settler of settlers) settler.close();
    }
  });
});

async function* many(count: number): AsyncIterable<NewFile> {
  for (let index = 0; index < count; index++) yield { relative_path: `f${index}`, body: one(Buffer.from(`held ${index}`)) };
}

async function* one(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

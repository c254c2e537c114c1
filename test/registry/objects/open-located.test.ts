import assert from 'node:assert/strict';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { administrator } from '../../../src/kernel/access.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import type { File } from '../../../src/registry/REGISTRY.ts';
import { openTwoBackends, type TwoBackends } from '../two-backends.ts';

const mebibyte = 1_048_576;

describe('a file whose bytes are bad in one backend and good in another', () => {
  for (const size of [2000, 3 * mebibyte])
    for (const [what, damage] of [
      ['a flipped bit in its first block', async (path: string) => await flip(path, 100)],
      ['no file', async (path: string) => await rm(path)],
      ['no backend', async (_path: string, store: TwoBackends) => await rename(store.rootOf('near'), `${store.rootOf('near')}-away`)],
    ] as const)
      it(`is read from the other with ${what}, ${size} bytes long`, async () => {
        await using store = await openTwoBackends();
        const bytes = patterned(size);
        const near = await add(store, 'p', bytes);
        await add(store, 'far', bytes);
        await damage(store.pathOf('near', near), store);
        // Of a longer one a range is checked by its blocks: the first is read.
        for (const range of [{ first: 10, last: 1500 }, undefined]) {
          const opened = await store.as(administrator('reader')).files.open({ file_id: near.id }, range === undefined ? {} : { range });
          const expected = range === undefined ? bytes : bytes.subarray(range.first, range.last + 1);
          assert.ok(expected.equals(await collect(opened!.body)));
        }
        await store.settle();
        const { state, object_key } = (await get(store, near)).locations[0]!;
        if (what === 'no backend') {
          assert.deepEqual(
            [state, (await store.as(administrator('x')).health()).backends.find(({ backend_id }) => backend_id === 'near')!.healthy],
            ['stored', false],
          );
          return;
        }
        // Meanwhile the good bytes were brought back, under another key.
        assert.equal(state, 'stored');
        assert.match(object_key, /\.1$/);
        assert.ok(bytes.equals(await readFile(store.pathOf('near', await get(store, near)))));
        const events = (await store.as(administrator('x')).events.page({ limit: 500 })).items.map(({ event_type }) => event_type);
        assert.deepEqual(
          events.filter((type) => type.startsWith('v1.storage.')),
          ['v1.storage.location_verified', 'v1.storage.object_repaired'],
        );
        assert.equal((await store.as(administrator('x')).health()).status, 'ok');
        const { backends } = await store.operator.collect();
        for (const { stored_objects, live_objects } of backends) assert.deepEqual([stored_objects, live_objects], [1, 1]);
      });

  it('ends a stream that has begun with the error, and the next one is good', async () => {
    await using store = await openTwoBackends();
    const bytes = patterned(3 * mebibyte);
    const near = await add(store, 'p', bytes);
    await add(store, 'far', bytes);
    await flip(store.pathOf('near', near), 2 * mebibyte + 5);
    const first = await store.as(administrator('reader')).files.open({ file_id: near.id });
    await assert.rejects(collect(first!.body), (error) => isArtifactstoreError(error, 'integrity_failure'));
    const second = await store.as(administrator('reader')).files.open({ file_id: near.id });
    assert.ok(bytes.equals(await collect(second!.body)));
    await store.settle();
    assert.deepEqual(
      (await get(store, near)).locations.map(({ state }) => state),
      ['stored'],
    );
    assert.ok(bytes.equals(await readFile(store.pathOf('near', await get(store, near)))));
  });

  it('is not read from bytes that are bad there too, and answers with what may pass', async () => {
    await using store = await openTwoBackends();
    const bytes = patterned(2000);
    const near = await add(store, 'p', bytes);
    const far = await add(store, 'far', bytes);
    await flip(store.pathOf('far', far), 7);
    const open = async () => await store.as(administrator('reader')).files.open({ file_id: near.id });
    await rename(store.rootOf('near'), `${store.rootOf('near')}-away`);
    await assert.rejects(open(), (error) => isArtifactstoreError(error, 'storage_unavailable'));
    await rename(`${store.rootOf('near')}-away`, store.rootOf('near'));
    assert.ok(bytes.equals(await collect((await open())!.body)));
    await flip(store.pathOf('near', near), 7);
    await assert.rejects(open(), (error) => isArtifactstoreError(error, 'integrity_failure'));
    await assert.rejects(open(), (error) => isArtifactstoreError(error, 'integrity_failure'));
    await store.settle();
    assert.equal(
      (await store.as(administrator('x')).health()).backends.reduce((sum, { failed_locations }) => sum + failed_locations, 0),
      2,
    );
  });

  it('is repaired once for many readers, and not tried again at once where it cannot be', async () => {
    await using store = await openTwoBackends();
    const bytes = patterned(2000);
    const near = await add(store, 'p', bytes);
    await add(store, 'far', bytes);
    await flip(store.pathOf('near', near), 7);
    let published = 0;
    const full = store.over({
      dataplane: {
        ...store.dataplane,
        async publish() {
          published += 1;
          throw new Error('no room');
        },
      },
    });
    const readAll = async (registry: Pick<TwoBackends, 'as' | 'settle'>) => {
      await Promise.all(
        Array.from({ length: 20 }, async () => {
          const opened = await registry.as(administrator('reader')).files.open({ file_id: near.id });
          assert.ok(bytes.equals(await collect(opened!.body)));
        }),
      );
      await registry.settle();
    };
    await readAll(full);
    await readAll(full);
    assert.equal(published, 1);
    assert.ok(store.incidents.some(({ kind }) => kind === 'repair_failed'));
    assert.deepEqual(
      (await get(store, near)).locations.map(({ state }) => state),
      ['failed'],
    );
    await readAll(store);
    const { items } = await store.as(administrator('x')).events.page({ event_type: 'v1.storage.object_repaired' });
    assert.equal(items.length, 1);
    for (const { stored_objects, live_objects } of (await store.operator.collect()).backends) assert.equal(stored_objects, live_objects);
  });

  it('stays failed when the copy does not read back', async () => {
    await using store = await openTwoBackends();
    const near = await add(store, 'p', patterned(2000));
    await add(store, 'far', patterned(2000));
    await flip(store.pathOf('near', near), 7);
    const lying = store.over({
      dataplane: {
        ...store.dataplane,
        async publish(draft, key) {
          await store.dataplane.publish(draft, key);
          const path = `${store.rootOf('near')}/${key}`;
          const bytes = await readFile(path);
          bytes[9]! ^= 1;
          await rm(path);
          await writeFile(path, bytes);
        },
      },
    });
    await collect((await lying.as(administrator('reader')).files.open({ file_id: near.id }))!.body);
    await lying.settle();
    assert.deepEqual(
      (await get(store, near)).locations.map(({ state }) => state),
      ['failed'],
    );
  });

  it('is gone when its package was collected, wherever else its bytes are', async () => {
    await using store = await openTwoBackends();
    const near = await add(store, 'p', patterned(2000));
    await add(store, 'far', patterned(2000));
    await store.as(administrator('x')).packages.abandon(near.package_id);
    let collecting = false;
    const late = store.over({
      dataplane: {
        ...store.dataplane,
        async open(object, ...rest) {
          if (!collecting) await store.operator.collect();
          collecting = true;
          // As if the other copy were away as well.
          if (object.backendId === 'far') await rm(store.rootOf('far'), { recursive: true, force: true });
          return await store.dataplane.open(object, ...rest);
        },
      },
    });
    await assert.rejects(late.as(administrator('reader')).files.open({ file_id: near.id }), (error) =>
      isArtifactstoreError(error, 'package_collected'),
    );
    assert.deepEqual(store.incidents, [], 'nothing is wrong with an object that was deleted when its time was over');
    await assert.rejects(store.as(administrator('reader')).files.open({ file_id: near.id }), (error) =>
      isArtifactstoreError(error, 'package_collected'),
    );
  });
});

async function add(store: TwoBackends, producer: string, bytes: Uint8Array): Promise<File> {
  const registry = store.as(administrator('producer'));
  const { record } = await registry.packages.create({ name: 'n', producer, subject: 's', retention_class: 'transient' });
  async function* body() {
    yield bytes;
  }
  return (await registry.files.add(record.id, { relative_path: 'f', body: body() })).record;
}

async function get(store: TwoBackends, file: File): Promise<File> {
  return (await store.as(administrator('reader')).files.get(file.id))!;
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at]! ^= 1;
  await writeFile(path, bytes);
}

function patterned(size: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let index = 0; index + 4 <= size; index += 4) bytes.writeUInt32LE(Math.imul(index + 1, 2_654_435_761) >>> 0, index);
  return bytes;
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

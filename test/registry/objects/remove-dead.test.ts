import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { administrator } from '../../../src/kernel/access.ts';
import { ArtifactstoreError } from '../../../src/kernel/error.ts';
import { removeDead } from '../../../src/registry/objects/remove-dead.ts';
import type { DeadKey } from '../../../src/registry/operations/objects.ts';
import { openTwoBackends, type TwoBackends } from '../two-backends.ts';

const written = (store: TwoBackends) => store.database.read('collect.dead_keys', { limit: 100, after: null });

async function add(store: TwoBackends, text: string) {
  const registry = store.as(administrator('tester'));
  const { record } = await registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient' });
  const body = (async function* () {
    yield Buffer.from(text);
  })();
  return (await registry.files.add(record.id, { relative_path: 'a', body })).record;
}

async function deadKeys(store: TwoBackends, count: number): Promise<readonly DeadKey[]> {
  const items = [];
  for (let index = 0; index < count; index++) {
    const { content_address } = await add(store, `bytes ${index}`);
    const draft = await store.dataplane.stage('near', bytes(`bytes ${index}`));
    items.push({ backend_id: 'near', content_address, generation: 1 });
    await store.dataplane.publish(draft, `${content_address.replace(/^(\w+):(..)(..)(.*)$/, '$1/$2/$3/$2$3$4')}.1`);
    await store.dataplane.discard(draft);
  }
  return await store.database.write('object.burn', { actor: 'tester', items });
}

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

test('dead keys go with what is written down of them', async () => {
  await using store = await openTwoBackends();
  const keys = await deadKeys(store, 3);
  assert.deepEqual([keys.length, (await written(store)).length], [3, 3]);
  assert.deepEqual((await removeDead(store, keys)).length, 3);
  assert.deepEqual(await written(store), []);
  for (const { object_key } of keys) assert.equal(existsSync(join(store.rootOf('near'), object_key)), false);
});

test('a key that cannot be deleted now stays written down, and the others do not', async () => {
  await using store = await openTwoBackends();
  const keys = await deadKeys(store, 3);
  const stuck = keys[1]!;
  const failing = removeDead(store, keys, async (key, remove) => {
    if (key === stuck) throw new ArtifactstoreError('storage_unavailable', 'not now');
    await remove();
  });
  await assert.rejects(failing, { code: 'storage_unavailable' });
  assert.deepEqual((await written(store)).map(({ object_key }) => object_key).includes(stuck.object_key), true);
  assert.ok((await written(store)).length < 3);
});

test('an ingest that repairs an object leaves nothing written down of the old key', async () => {
  await using store = await openTwoBackends();
  const file = await add(store, 'good bytes');
  await rm(store.pathOf('near', file));
  await assert.rejects(store.as(administrator('reader')).files.open({ file_id: file.id }), { code: 'integrity_failure' });
  const again = await add(store, 'good bytes');
  await store.settle();
  assert.match(again.locations[0]!.object_key, /\.1$/);
  assert.deepEqual(await written(store), []);
});

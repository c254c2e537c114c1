import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { administrator } from '../../src/kernel/access.ts';
import type { File } from '../../src/registry/REGISTRY.ts';
import { assertClean } from './assert-clean.ts';
import { openTwoBackends, type TwoBackends } from './two-backends.ts';

const user = administrator('user');

async function newPackage(store: TwoBackends, producer: 'near' | 'far'): Promise<string> {
  return (await store.as(user).packages.create({ name: 'n', producer, subject: 's', retention_class: 'transient' })).record.id;
}

async function add(store: TwoBackends, id: string, text: string): Promise<File> {
  async function* body() {
    yield Buffer.from(text);
  }
  return (await store.as(user).files.add(id, { relative_path: 'f', body: body() })).record;
}

async function read(store: TwoBackends, package_id: string): Promise<string> {
  const opened = await store.as(user).files.open({ package_id, relative_path: 'f' });
  return Buffer.concat(await Array.fromAsync(opened!.body, (chunk) => Buffer.from(chunk))).toString();
}

const held = async (store: TwoBackends) => (await store.as(user).health()).backends.map((each) => [each.backend_id, each.held_objects]);

describe('what is held for one backend', () => {
  it('is attached in another, and moved there', async () => {
    await using store = await openTwoBackends({ holds: true });
    const [near, far, other] = [await newPackage(store, 'near'), await newPackage(store, 'far'), await newPackage(store, 'near')];
    const file = await add(store, near, 'bytes');
    await add(store, other, 'others');
    const { content_address, size_bytes } = file;
    const [attached] = await store.as(user).files.attach(far, [{ relative_path: 'f', content_address, size_bytes }]);
    assert.equal(attached!.result, 'created');
    assert.deepEqual(await held(store), [
      ['near', 2],
      ['far', 0],
    ]);
    const moved = await store.operator.move({ from: 'near', to: 'far' });
    assert.deepEqual([moved.objects, moved.failed, moved.missing, moved.left_objects], [2, 0, 0, 0]);
    assert.deepEqual(await held(store), [
      ['near', 0],
      ['far', 0],
    ]);
    for (const id of [near, far]) assert.equal(await read(store, id), 'bytes');
    assert.equal(await read(store, other), 'others');
    await assertClean(store, { near: 0, far: 2 });
    assert.deepEqual(store.incidents, []);
  });

  it('brings back what is damaged in another', async () => {
    await using store = await openTwoBackends({ holds: true });
    const [near, far] = [await newPackage(store, 'near'), await newPackage(store, 'far')];
    await add(store, far, 'bytes');
    await store.operator.settleHeld();
    await add(store, near, 'bytes');
    const there = async () => (await store.as(user).files.find(far, 'f'))!;
    await writeFile(store.pathOf('far', await there()), 'BYTES');
    assert.equal(await read(store, far), 'bytes');
    await store.settle();
    assert.equal((await store.as(user).health()).backends.find(({ backend_id }) => backend_id === 'far')!.failed_locations, 0);
    assert.equal(await readFile(store.pathOf('far', await there()), 'utf8'), 'bytes');
    assert.equal(await read(store, near), 'bytes');
    await assertClean(store, { near: 1, far: 1 });
  });
});

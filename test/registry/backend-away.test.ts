import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { administrator } from '../../src/kernel/access.ts';
import { formatAddress } from '../../src/kernel/content/address.ts';
import { objectKey } from '../../src/kernel/content/key.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { assertClean } from './assert-clean.ts';
import { openTwoBackends } from './two-backends.ts';

test('a backend that is unavailable keeps no other one from being collected, and is collected when it is back', async () => {
  await using store = await openTwoBackends();
  const paths: string[] = [];
  for (const producer of ['far', 'near'] as const) {
    const { packages, files } = store.as(administrator('tester'));
    const { id } = (await packages.create({ name: producer, producer, subject: producer, retention_class: 'blink' })).record;
    const { record } = await files.add(id, { relative_path: 'f', body: one(Buffer.from(producer)) });
    await packages.finalize(id);
    paths.push(store.pathOf(producer, record));
  }
  const [far, near] = paths as [string, string];
  await sleep(1100);
  await store.operator.sweep();

  await rename(store.rootOf('near'), `${store.rootOf('near')}-away`);
  for (let run = 0; run < 2; run++) {
    const orphan = join(store.rootOf('far'), objectKey(formatAddress('blake3', randomBytes(32)), 1));
    await mkdir(dirname(orphan), { recursive: true });
    await writeFile(orphan, 'nobody knows this');
    await assert.rejects(store.operator.collect(), (error) => isArtifactstoreError(error, 'storage_unavailable'));
    assert.deepEqual([far, orphan].map(existsSync), [false, false]);
  }

  await rename(`${store.rootOf('near')}-away`, store.rootOf('near'));
  assert.equal(existsSync(near), true);
  const { backends, deleted_orphans } = await store.operator.collect();
  assert.equal(existsSync(near), false);
  assert.equal(deleted_orphans, 0, 'its dead keys were remembered');
  assert.deepEqual(
    backends.map(({ backend_id, stored_objects, live_objects }) => [backend_id, stored_objects, live_objects]),
    [
      ['near', 0, 0],
      ['far', 0, 0],
    ],
  );
});

test('a backend that is unavailable for hours gets what is held when it is back, and its files the direct way meanwhile', async () => {
  await using store = await openTwoBackends({ holds: true });
  let passed = 0;
  const later = store.over({ now: () => Date.now() + passed, uptime: () => performance.now() + passed });
  const { packages, files, health } = later.as(administrator('tester'));
  const held = async () => (await health()).backends.map(({ held_objects }) => held_objects);
  const create = async (producer: string) =>
    (await packages.create({ name: producer, producer, subject: producer, retention_class: 'transient' })).record.id;
  const [near, far] = [await create('near'), await create('far')];
  const kept: [string, string][] = [];
  const add = async (id: string, text: string) => {
    await files.add(id, { relative_path: text, body: one(Buffer.from(text)) });
    kept.push([id, text]);
  };
  const unavailable = (error: unknown) => isArtifactstoreError(error, 'storage_unavailable');
  const assertKept = async () => {
    for (const [package_id, relative_path] of kept) {
      const opened = await files.open({ package_id, relative_path });
      assert.equal(Buffer.concat(await Array.fromAsync(opened!.body, (chunk) => Buffer.from(chunk))).toString(), relative_path);
    }
  };
  await add(near, 'before');

  await rename(store.rootOf('near'), `${store.rootOf('near')}-away`);
  await add(near, 'soon');
  for (let hour = 1; hour <= 6; hour++) {
    passed += 3_600_000;
    await assert.rejects(add(near, `hour ${hour}`), unavailable);
    await add(far, `far ${hour}`);
    await assert.rejects(later.operator.settleHeld(), unavailable);
    assert.deepEqual(await held(), [2, 0], 'the other one is settled');
    await assertKept();
  }

  await rename(`${store.rootOf('near')}-away`, store.rootOf('near'));
  assert.equal(await later.operator.settleHeld(), 2);
  passed += 60_000;
  await add(near, 'after');
  assert.deepEqual(await held(), [1, 0], 'it is held for again');
  await later.operator.settleHeld();
  await assertKept();
  await assertClean({ ...store, ...later }, { near: 3, far: 6 });
});

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

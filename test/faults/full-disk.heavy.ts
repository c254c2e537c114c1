import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import type { Registry } from '../../src/registry/REGISTRY.ts';
import { dumpViews } from '../registry/dump-views.ts';
import { bytesOf } from './bytes.ts';
import { fileOf, newPackage, openRegistryOn, readBytes } from './registry-on.ts';
import { cannotMount, mountSmall, unmount } from './small-disk.ts';

const mebibyte = 1_048_576;
/** Every file into its backend first. */
const direct = { ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0' };
const held = { ARTIFACTSTORE_SMALL_OBJECT_BYTES: '65536' };

describe('a full disk', { skip: cannotMount() }, () => {
  let scratch: string;
  let small: string;
  let large: string;
  let filler: string;
  before(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'artifactstore-'));
    small = join(scratch, 'small');
    large = join(scratch, 'large');
    filler = join(small, 'filler');
    await mkdir(small);
    await mkdir(large);
  });
  after(() => rmSync(scratch, { recursive: true, force: true }));

  it('of the storage: adds are refused and leave nothing, reads go on, and with room again so do adds', async () => {
    mountSmall(small);
    try {
      await using store = await openRegistryOn({ database: large, storage: small }, direct);
      const registry = store.as('tester');
      const id = await newPackage(registry);
      await registry.files.add(id, fileOf('before', bytesOf('before')));
      await writeFile(filler, Buffer.alloc(2 * mebibyte));
      await assert.rejects(registry.files.add(id, fileOf('large', Buffer.alloc(6 * mebibyte, 7))), { code: 'storage_full' });
      await leavesNoDraft(join(small, 'storage', 'drafts'));

      const kept = await fillUp(registry, id);
      await leavesNoDraft(join(small, 'storage', 'drafts'));
      for (const label of ['before', ...kept])
        assert.ok(Buffer.from(bytesOf(label)).equals((await readBytes(registry, id, label)).delivered));
      assert.equal((await registry.files.list(id, { limit: 1000 })).items.length, kept.length + 1);
      const rest = join(small, 'rest');
      await assert.rejects(writeFile(rest, Buffer.alloc(8 * mebibyte)), { code: 'ENOSPC' });
      const { db, backend } = await registry.health();
      await rm(rest);
      assert.deepEqual([db.healthy, backend.healthy, backend.full], [true, false, true]);

      await rm(filler);
      await registry.files.add(id, fileOf('after', bytesOf('after')));
      assert.ok(Buffer.from(bytesOf('after')).equals((await readBytes(registry, id, 'after')).delivered));
      assert.equal((await registry.packages.finalize(id)).file_count, kept.length + 2);
      assert.equal((await store.operator.verifyEvents()).ok, true);
    } finally {
      unmount(small);
    }
  });

  it('of the storage: small files are held until it has room again', async () => {
    mountSmall(small);
    const database = mkdtempSync(join(scratch, 'database-'));
    try {
      await using store = await openRegistryOn({ database, storage: small }, held);
      const registry = store.as('tester');
      const id = await newPackage(registry);
      await registry.files.add(id, fileOf('before', smallBytes('before')));
      await store.operator.settleHeld();
      await fillWith(filler, 0);
      const labels = ['before', ...Array.from({ length: 20 }, (_, index) => `held ${index}`)];
      for (const label of labels.slice(1)) await registry.files.add(id, fileOf(label, smallBytes(label)));
      await assert.rejects(store.operator.settleHeld(), { code: 'storage_full' });
      assert.equal((await registry.health()).backend.held_objects, 20);
      await leavesNoDraft(join(small, 'storage', 'drafts'));
      await assertKept(registry, id, labels);

      await rm(filler);
      await store.operator.settleHeld();
      assert.equal((await registry.health()).backend.held_objects, 0);
      await assertKept(registry, id, labels);
      const { objects, failed, missing } = await store.operator.verifyStorage('local');
      assert.deepEqual([objects, failed, missing], [21, 0, 0]);
    } finally {
      unmount(small);
    }
  });

  it('of the database: what it holds is read, and settled with room again', async () => {
    mountSmall(small);
    const storage = mkdtempSync(join(scratch, 'storage-'));
    try {
      await using store = await openRegistryOn({ database: small, storage }, held);
      const registry = store.as('tester');
      const id = await newPackage(registry);
      await registry.files.add(id, fileOf('first', smallBytes('first')));
      await fillWith(filler, 256 * 1024);
      const kept = ['first', ...(await fillUp(registry, id, smallBytes))];
      await assertKept(registry, id, kept);
      await store.operator.settleHeld().catch((error: unknown) => assert.ok(isArtifactstoreError(error, 'storage_full'), String(error)));
      await assertKept(registry, id, kept);

      await rm(filler);
      await store.operator.settleHeld();
      assert.equal((await registry.health()).backend.held_objects, 0);
      await assertKept(registry, id, kept);
      assert.equal((await registry.packages.finalize(id)).file_count, kept.length);
      const { failed, missing } = await store.operator.verifyStorage('local');
      assert.deepEqual([failed, missing, (await store.operator.verifyEvents()).ok], [0, 0, true]);
    } finally {
      unmount(small);
    }
  });

  it('of the database: writes are refused, reads go on, and with room again so do writes', async () => {
    mountSmall(small);
    try {
      await using store = await openRegistryOn({ database: small, storage: large }, direct);
      const registry = store.as('tester');
      const id = await newPackage(registry);
      await fillWith(filler, 256 * 1024);
      const kept = await fillUp(registry, id);
      await assert.rejects(registry.packages.finalize(id), { code: 'storage_full' });
      for (const label of kept) assert.ok(Buffer.from(bytesOf(label)).equals((await readBytes(registry, id, label)).delivered));
      assert.equal((await registry.files.list(id, { limit: 1000 })).items.length, kept.length);

      await rm(filler);
      await registry.files.add(id, fileOf('after', bytesOf('after')));
      assert.equal((await registry.packages.finalize(id)).file_count, kept.length + 1);
      assert.equal((await store.operator.verifyEvents()).ok, true);
      const views = dumpViews(join(small, 'artifactstore.db'));
      await store.operator.replay();
      assert.deepEqual(dumpViews(join(small, 'artifactstore.db')), views);
    } finally {
      unmount(small);
    }
  });
});

/** Clean-up continues behind the answer. */
async function leavesNoDraft(drafts: string): Promise<void> {
  for (let tries = 0; tries < 600 && (await readdir(drafts)).length > 0; tries++) await pause(50);
  assert.deepEqual(await readdir(drafts), []);
}

/** Short ones, which are held. */
function smallBytes(label: string): Uint8Array {
  return Buffer.from(label.padEnd(3000, '.'));
}

async function assertKept(registry: Registry, packageId: string, labels: readonly string[]): Promise<void> {
  for (const label of labels)
    assert.ok(Buffer.from(smallBytes(label)).equals((await readBytes(registry, packageId, label)).delivered), label);
}

/** Adds files until the disk is full; the labels, and paths, of those that were acknowledged. */
async function fillUp(registry: Registry, packageId: string, contentOf = bytesOf): Promise<readonly string[]> {
  const kept: string[] = [];
  for (let index = 0, refused = 0; refused < 3; index++) {
    assert.ok(index < 5000, 'the disk does not get full');
    const label = `file ${index}`;
    try {
      await registry.files.add(packageId, fileOf(label, contentOf(label)));
      kept.push(label);
    } catch (error) {
      assert.ok(isArtifactstoreError(error, 'storage_full'), String(error));
      refused += 1;
    }
  }
  return kept;
}

/** Takes all the room of the disk but `left` bytes. */
async function fillWith(path: string, left: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path));
  await writeFile(path, Buffer.alloc(bavail * bsize - left));
}

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import type { Registry } from '../../src/registry/REGISTRY.ts';
import { dumpViews } from '../registry/dump-views.ts';
import { bytesOf } from './bytes.ts';
import { fileOf, newPackage, openRegistryOn, readBytes } from './registry-on.ts';
import { cannotMount, mountSmall, unmount } from './small-disk.ts';

const mebibyte = 1_048_576;
/** Every file into its backend first. */
const direct = { ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0' };

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
      assert.deepEqual(await readdir(join(small, 'storage', 'drafts')), []);

      const kept = await fillUp(registry, id);
      assert.deepEqual(await readdir(join(small, 'storage', 'drafts')), []);
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

/** Adds files until the disk is full; the labels, and paths, of those that were acknowledged. */
async function fillUp(registry: Registry, packageId: string): Promise<readonly string[]> {
  const kept: string[] = [];
  for (let index = 0, refused = 0; refused < 3; index++) {
    assert.ok(index < 5000, 'the disk does not get full');
    const label = `file ${index}`;
    try {
      await registry.files.add(packageId, fileOf(label, bytesOf(label)));
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

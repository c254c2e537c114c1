import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { openLocalStorage } from '../../../src/storage/local/local.ts';
import { createUnlinkThread } from '../../../src/storage/local/unlink-thread.ts';

test('unlinks many files, each for the one that asked, and those that are not there', () =>
  inDirectory(async (directory) => {
    const thread = createUnlinkThread({ root: directory });
    const paths = Array.from({ length: 200 }, (_, index) => join(directory, `${index}`));
    paths.forEach((path, index) => {
      if (index % 3 > 0) writeFileSync(path, 'x');
    });
    const gone = await Promise.all(paths.map((path) => thread.unlink(path)));
    assert.deepEqual(new Set(gone), new Set([true]));
    assert.deepEqual(paths.filter(existsSync), []);
  }));

test('says nothing of a folder, and removes a link but not what it leads to', () =>
  inDirectory(async (directory) => {
    const thread = createUnlinkThread({ root: directory });
    const [folder, link, good] = ['folder', 'link', 'good'].map((name) => join(directory, name)) as [string, string, string];
    mkdirSync(folder);
    writeFileSync(good, 'good');
    symlinkSync(good, link);
    const below = join(good, 'below');
    assert.deepEqual(await Promise.all([folder, link, below].map((path) => thread.unlink(path))), [false, true, false]);
    assert.deepEqual([folder, link, good].map(existsSync), [true, false, true]);
  }));

test('takes nothing for gone below a root that is not there', () =>
  inDirectory(async (directory) => {
    const root = join(directory, 'root');
    const thread = createUnlinkThread({ root });
    assert.equal(await thread.unlink(join(root, 'a')), false);
  }));

test('many objects are deleted at once on the thread, and a disk that is gone is told', () =>
  inDirectory(async (directory) => {
    let threads = 0;
    const count = (_worker: Worker): void => void threads++;
    process.on('worker', count);
    try {
      const root = join(directory, 'root');
      const storage = openLocalStorage({ id: 'local', root });
      const keys = Array.from({ length: 100 }, (_, index) => `a/${index}`);
      for (const key of keys) await storage.create(key, new Uint8Array(1));
      await storage.delete(keys[0]!);
      assert.equal(threads, 0);
      await Promise.all(keys.map((key) => storage.delete(key)));
      assert.equal(threads, 1);
      assert.deepEqual(
        keys.filter((key) => existsSync(join(root, key))),
        [],
      );
      renameSync(root, join(directory, 'away'));
      const refused = keys.map((key) => assert.rejects(storage.delete(key), { code: 'storage_unavailable' }));
      await Promise.all(refused);
    } finally {
      process.removeListener('worker', count);
    }
  }));

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
  try {
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

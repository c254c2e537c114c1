import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { storageConformance } from '../../../src/storage/conformance.ts';
import { openLocalStorage } from '../../../src/storage/local/local.ts';
import type { DraftDirectory, Storage } from '../../../src/storage/STORAGE.ts';

storageConformance('local', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'artifactstore-local-'));
  const storage = openLocalStorage({ id: 'local', root: join(directory, 'made', 'here') });
  assert.equal(await storage.create('first', Buffer.from('of all')), true, 'which makes the root');
  await storage.delete('first');
  return { storage, close: () => rm(directory, { recursive: true }) };
});

describe('storage: local, what is its own', () => {
  const check = (title: string, body: (root: string, storage: Storage & { readonly drafts: DraftDirectory }) => Promise<void>): void => {
    test(title, async () => {
      const root = await mkdtemp(join(tmpdir(), 'artifactstore-local-'));
      try {
        await body(root, openLocalStorage({ id: 'local', root }));
      } finally {
        await rm(root, { recursive: true, force: true });
      }
    });
  };

  check('lays objects out by their keys and keeps nothing else', async (root, storage) => {
    await storage.put('blake3/ab/cd/abcd', bytes('x'));
    await assert.rejects(storage.put('blake3/ab/cd/other', failing()));
    await storage.health();
    const tree = (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    assert.deepEqual(
      tree.map((entry) => join(entry.parentPath, entry.name)),
      [join(root, 'blake3/ab/cd/abcd')],
    );
  });

  check('lists what it did not make, so that orphans are found, but no drafts and no links', async (root, storage) => {
    await mkdir(join(root, 'strange/folder'), { recursive: true });
    await writeFile(join(root, 'strange/folder/file.tmp'), 'abc');
    await writeFile(join(root, 'at the root'), '');
    // What a new file system has, often unreadable.
    await mkdir(join(root, 'lost+found'));
    await writeFile(join(root, 'lost+found/#1'), 'x');
    await storage.drafts.prepare();
    await writeFile(join(storage.drafts.directory, randomUUID()), 'draft');
    await symlink('/etc/hostname', join(root, 'strange/link'));
    const listed = await Array.fromAsync(storage.list(''), ({ key, sizeBytes }) => `${key} ${sizeBytes}`);
    assert.deepEqual(listed.sort(), ['at the root 0', 'strange/folder/file.tmp 3']);
    assert.equal(await storage.get('strange/link'), undefined);
    assert.equal(await storage.head('strange/link'), undefined);
  });

  check('makes folders anew that were removed behind its back', async (root, storage) => {
    await storage.put('a/b/c', bytes('one'));
    await rm(join(root, 'a'), { recursive: true });
    await storage.put('a/b/c', bytes('two'));
    assert.deepEqual(await storage.head('a/b/c'), { sizeBytes: 3 });
  });

  check('does not take a root that went away for an empty one', async (root, storage) => {
    await storage.put('a/b/c', bytes('one'));
    await rename(root, `${root}-away`);
    try {
      for (const [what, action] of Object.entries({
        get: () => storage.get('a/b/c'),
        head: () => storage.head('a/b/c'),
        delete: () => storage.delete('a/b/c'),
        list: () => Array.fromAsync(storage.list('')),
        put: () => storage.put('a/b/d', bytes('x')),
        publish: () => storage.drafts.publish(join(storage.drafts.directory, randomUUID()), 'a/b/d'),
      })) {
        await assert.rejects(action, (error) => isArtifactstoreError(error, 'storage_unavailable') && /ENOENT/.test(error.message), what);
      }
      assert.equal((await storage.health()).healthy, false);
    } finally {
      await rename(`${root}-away`, root);
    }
    assert.deepEqual(await storage.head('a/b/c'), { sizeBytes: 3 });
  });

  check('does not pass a file that shrinks while it is read for a whole one', async (root, storage) => {
    await storage.put('k', bytes('x'.repeat(4_000_000)));
    const reader = await storage.get('k');
    const read = async (): Promise<void> => {
      for await (const _ of reader!.body) await truncate(join(root, 'k'), 1_100_000);
    };
    await assert.rejects(read(), (error) => isArtifactstoreError(error, 'integrity_failure'));
  });

  test('says where and why a root cannot be used', async () => {
    await assert.rejects(
      openLocalStorage({ id: 'local', root: '/dev/null/store' }).create('k', Buffer.from('x')),
      (error) => isArtifactstoreError(error, 'storage_unavailable') && /\/dev\/null\/store: .*\(ENOTDIR\)/.test(error.message),
    );
  });
});

async function* bytes(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

async function* failing(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('some');
  throw new Error('the source broke');
}

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DigestIndex, openDigestIndex } from '../../../src/client/digest-index/digest-index.ts';
import { hashFile, smallFileBytes } from '../../../src/client/tree/read-file.ts';
import { type TreeFile, walkTree } from '../../../src/client/tree/walk.ts';
import { sha256, toHex, utf8 } from '../../../src/kernel/content/digest.ts';

const never = new AbortController().signal;
const minute = 60_000;

describe('an index of digests', () => {
  const home = mkdtempSync(join(tmpdir(), 'artifactstore-index-'));
  after(() => rmSync(home, { recursive: true, force: true }));
  let places = 0;

  /** A directory with files, pushed a minute from now: then nothing in it has just been changed. */
  function tree(files: Readonly<Record<string, string>>) {
    places += 1;
    const root = join(home, `tree-${places}`);
    const write = (path: string, text: string): void => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    };
    for (const [path, text] of Object.entries(files)) write(path, text);
    const open = (now: () => number = later): DigestIndex => openDigestIndex(join(home, `cache-${places}`), root, now);
    return { root, write, open, walk: () => walkTree(root).files, at: (path: string) => join(root, path) };
  }

  const later = (): number => Date.now() + minute;

  /** What a push does with each file; answers the paths of those that were read. */
  async function push(files: readonly TreeFile[], index: DigestIndex, begunAt: () => number = later): Promise<readonly string[]> {
    const read: string[] = [];
    for (const file of files) {
      if (index.find(file) !== undefined) continue;
      read.push(file.relativePath);
      const begun = begunAt();
      const hashed = await hashFile(file, never);
      if (hashed.isSteady) index.remember(file, hashed.digests.get('sha256')!, begun);
    }
    index.save();
    return read;
  }

  test('knows what was read before, until the next change, and forgets what is not there any more', async () => {
    const { root, write, open, walk, at } = tree({ a: 'a', 'b/c': 'c', 'b/ü': '', gone: 'gone' });
    assert.deepEqual(await push(walk(), open()), ['a', 'b/c', 'b/ü', 'gone']);
    rmSync(at('gone'));
    write('new', 'new');
    assert.deepEqual(await push(walk(), open()), ['new']);
    assert.deepEqual(await push(walk(), open()), []);
    const [first] = walk();
    assert.equal(toHex(open().find(first!)!), toHex(sha256(utf8('a'))));
    write('b/c', 'C');
    chmodSync(at('a'), 0o755);
    assert.deepEqual(await push(walk(), open()), ['a', 'b/c']);
    write('gone', 'gone');
    assert.deepEqual(await push(walk(), open()), ['gone']);
    renameSync(root, `${root}-moved`);
    renameSync(`${root}-moved`, root);
    assert.deepEqual(await push(walk(), open()), []);
  });

  test('knows nothing of a file that was changed less than two seconds before it was read', async () => {
    const { write, open, walk } = tree({ young: 'old' });
    const begunAt = (): number => Date.now();
    assert.deepEqual(await push(walk(), open(Date.now), begunAt), ['young']);
    for (let round = 0; round < 50; round += 1) {
      write('young', 'one');
      await push(walk(), open(Date.now), begunAt);
      // In the same tick, where the file system's clock has coarse ones: it then leaves no trace at all.
      write('young', 'two');
      assert.equal(open(Date.now).find(walk()[0]!), undefined);
    }
    const [file] = walk();
    const changedAt = Number(file!.status.changedNanoseconds / 1_000_000n);
    for (const [sinceChange, known] of [
      [2_000, false],
      [2_600, true],
    ] as const) {
      const index = open();
      index.remember(file!, sha256(utf8('two')), changedAt + sinceChange);
      index.save();
      assert.equal(open().find(file!) !== undefined, known, `${sinceChange} ms`);
    }
  });

  test('knows nothing of a file whose `ctime` is a whole second, as on file systems that have none', () => {
    const { open, walk } = tree({ file: 'one' });
    const [found] = walk();
    const changed = found!.status.changedNanoseconds - (found!.status.changedNanoseconds % 1_000_000_000n);
    for (const [nanoseconds, known] of [
      [0n, false],
      [1n, true],
    ] as const) {
      const file = { ...found!, status: { ...found!.status, changedNanoseconds: changed + nanoseconds } };
      const index = open();
      index.remember(file, sha256(utf8('one')), later());
      index.save();
      assert.equal(open().find(file) !== undefined, known, `${nanoseconds} ns`);
    }
  });

  test('is not deceived by times that were set back', async () => {
    const { write, open, walk, at } = tree({ file: 'one' });
    await push(walk(), open());
    const { atime, mtime } = statSync(at('file'));
    await sleep(20);
    write('file', 'two');
    utimesSync(at('file'), atime, mtime);
    assert.equal(statSync(at('file')).mtimeMs, mtime.getTime());
    assert.deepEqual(await push(walk(), open()), ['file']);
    utimesSync(at('file'), 1e9, 1e9);
    assert.deepEqual(await push(walk(), open()), ['file']);
  });

  test('is not deceived by another file of the same size and times that was renamed over', async () => {
    const { root, write, open, walk, at } = tree({ file: 'one' });
    await push(walk(), open());
    const { atime, mtime } = statSync(at('file'));
    const [before] = walk();
    writeFileSync(join(root, '..', 'other'), 'two');
    utimesSync(join(root, '..', 'other'), atime, mtime);
    renameSync(join(root, '..', 'other'), at('file'));
    const [found] = walk();
    assert.notEqual(found!.status.inode, before!.status.inode);
    assert.deepEqual(await push(walk(), open()), ['file']);
    // Each of the numbers counts by itself.
    const index = open();
    for (const status of [
      { ...found!.status, inode: before!.status.inode },
      { ...found!.status, device: found!.status.device + 1n },
      { ...found!.status, modifiedNanoseconds: found!.status.modifiedNanoseconds + 1n },
      { ...found!.status, changedNanoseconds: found!.status.changedNanoseconds - 1n },
    ])
      assert.equal(index.find({ ...found!, status }), undefined);
    assert.equal(index.find({ ...found!, sizeBytes: 4 }), undefined);
    assert.notEqual(index.find(found!), undefined);
    write('file', 'one');
  });

  test('is not deceived by a copy with preserved times that took the place of the directory', {
    skip: process.platform === 'win32',
  }, async () => {
    const { root, open, walk } = tree({ a: 'one', 'b/c': 'two' });
    await push(walk(), open());
    execFileSync('cp', ['-a', root, `${root}.copy`]);
    rmSync(root, { recursive: true });
    renameSync(`${root}.copy`, root);
    assert.deepEqual(await push(walk(), open()), ['a', 'b/c']);
  });

  test('takes nothing of a file that changes while it is read', async () => {
    for (const size of [smallFileBytes * 8, 4]) {
      const { write, open, walk } = tree({ file: 'x'.repeat(size) });
      await sleep(20);
      const [file] = walk();
      let looks = 0;
      const change = (): void => {
        looks += 1;
        // A small file is looked at once, before it is opened; of a large one half has been read.
        if (looks === (size > smallFileBytes ? 3 : 1)) write('file', 'y'.repeat(size));
      };
      const hashed = await hashFile(file!, { throwIfAborted: change } as AbortSignal);
      assert.equal(hashed.isSteady, false);
      assert.deepEqual(await push(walk(), open()), ['file']);
    }
  });

  test('is worth nothing once the clock was set back, nor is what changed in its future', async () => {
    const { open, walk, at } = tree({ file: 'one' });
    await push(walk(), open());
    assert.deepEqual(
      await push(
        walk(),
        open(() => Date.now() - minute),
      ),
      ['file'],
    );
    const { root, ...ahead } = tree({ file: 'one' });
    const behind = (): number => Date.now() - minute;
    await push(ahead.walk(), ahead.open(behind), behind);
    assert.deepEqual(await push(ahead.walk(), ahead.open(behind), behind), ['file'], root);
    utimesSync(at('file'), 4e9, 4e9);
    await push(walk(), open());
    assert.deepEqual(await push(walk(), open()), ['file']);
  });

  test('agrees with the bytes, whatever was done to the files', async () => {
    const { root, write, open, walk, at } = tree({ a: '0', b: '0', c: '0' });
    const names = ['a', 'b', 'c'] as const;
    const pick = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!;
    const text = (): string => pick(['0', '1', '2']);
    const acts: readonly (() => void)[] = [
      () => write(pick(names), text()),
      () => {
        const path = at(pick(names));
        const { atime, mtime } = statSync(path);
        writeFileSync(path, text());
        utimesSync(path, atime, mtime);
      },
      () => {
        writeFileSync(`${root}.new`, text());
        renameSync(`${root}.new`, at(pick(names)));
      },
      () => utimesSync(at(pick(names)), 1e9, 1e9),
      () => execFileSync('cp', ['-p', at(pick(names)), at(pick(names))], { stdio: 'ignore' }),
    ];
    for (let round = 0; round < 60; round += 1) {
      // The file system's clock moves on, as it has when nothing younger than the margin is remembered.
      await sleep(12);
      for (let act = 0; act < 2; act += 1)
        try {
          pick(acts)();
        } catch {
          // A copy of a file over itself is refused.
        }
      const index = open();
      for (const file of walk()) {
        const known = index.find(file);
        const { contentAddress } = await hashFile(file, never);
        if (known !== undefined) assert.equal(`sha256:${toHex(known)}`, contentAddress);
      }
      await push(walk(), index);
    }
  });
});

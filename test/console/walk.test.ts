import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Walked, walk } from '../../console/upload/walk.ts';

/** A name is a file, a list a folder; a folder is given `some` at a time. */
type Entry = string | readonly Entry[];

interface Seen {
  underWay: number;
  most: number;
  /** Entries that were given and not read yet, at most. */
  mostWaiting: number;
}

function walkedBy(some: number, seen: Seen = { underWay: 0, most: 0, mostWaiting: 0 }): Walked<Entry, string> {
  let waiting = 0;
  const asked = async <T>(answer: () => T): Promise<T> => {
    seen.underWay += 1;
    seen.most = Math.max(seen.most, seen.underWay);
    for (let turns = Math.ceil(Math.random() * 3); turns > 0; turns--) await turn();
    seen.underWay -= 1;
    return answer();
  };
  return {
    open(entry) {
      if (typeof entry === 'string') return undefined;
      let at = 0;
      return () =>
        asked(() => {
          const given = entry.slice(at, at + some);
          at += given.length;
          if (given.includes('breaks')) throw new Error('the folder broke');
          waiting += given.length;
          seen.mostWaiting = Math.max(seen.mostWaiting, waiting);
          return given;
        });
    },
    read: (entry) =>
      asked(() => {
        waiting -= 1;
        if (entry === 'bad') throw new Error('the file is gone');
        return String(entry);
      }),
    empty: () => 'nothing',
    failed: (entry, error) => `${typeof entry === 'string' ? entry : 'folder'}: ${(error as Error).message}`,
  };
}

test('what was dropped is told in its order, however many are read at once', async () => {
  const tree: readonly Entry[] = ['a', ['b', ['c', 'd'], 'e', []], 'f', [['g']], 'h'];
  for (const atOnce of [1, 2, 32])
    for (const some of [1, 3])
      assert.deepEqual(await walk(tree, walkedBy(some), atOnce), ['a', 'b', 'c', 'd', 'e', 'nothing', 'f', 'g', 'h']);
  assert.deepEqual(await walk([], walkedBy(1), 4), []);
});

test('what cannot be read is told in its place, and the others are read', async () => {
  assert.deepEqual(await walk(['a', 'bad', ['b', 'c', 'breaks', 'never'], 'd'], walkedBy(2), 4), [
    'a',
    'bad: the file is gone',
    'b',
    'c',
    'folder: the folder broke',
    'd',
  ]);
});

test('so many are asked at once and no more, and few wait of a long folder', async () => {
  const seen: Seen = { underWay: 0, most: 0, mostWaiting: 0 };
  const many = Array.from({ length: 1_000 }, (_, index) => `${index}`);
  assert.deepEqual(await walk([many], walkedBy(100, seen), 8), many);
  assert.equal(seen.most, 8);
  assert.ok(seen.mostWaiting <= 200, `${seen.mostWaiting} waited`);
});

test('a fault of the reader itself ends the walk', async () => {
  const walked = { ...walkedBy(1), failed: (): string => assert.fail('not told') };
  await assert.rejects(walk(['bad'], walked, 2), /not told/);
});

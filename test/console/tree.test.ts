import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addFiles, emptyFolder, type Folder, matchingRows, parentOf, type Row, rowsOf } from '../../console/tree.ts';

function treeOf(...paths: readonly string[]): Folder {
  const top = emptyFolder();
  addFiles(
    top,
    paths.map((relative_path, index) => ({ relative_path, size_bytes: index + 1, media_type: 'text/plain', digest_sha256: '' })),
  );
  return top;
}

const shown = (rows: readonly Row[]): readonly string[] =>
  rows.map(({ depth, name, folder }) => `${' '.repeat(depth)}${name}${folder ? '/' : ''}`);

test('a list of paths is a tree in its own order, and a folder knows what is below it', () => {
  const top = treeOf('a-b', 'a/1', 'a/c/2', 'a/c/3', 'z');
  assert.deepEqual(shown(rowsOf(top, () => true)), ['a-b', 'a/', ' 1', ' c/', '  2', '  3', 'z']);
  assert.deepEqual(shown(rowsOf(top, () => false)), ['a-b', 'a/', 'z']);
  const folder = top.folders.get('a')!;
  assert.deepEqual([folder.files, folder.bytes, top.files, top.bytes], [3, 9, 5, 15]);
});

test('a folder that has one folder alone is one line with it', () => {
  const top = treeOf('deep/er/still/1', 'deep/er/still/2');
  assert.deepEqual(shown(rowsOf(top, (path) => path === 'deep/er/still/')), ['deep/er/still/', ' 1', ' 2']);
});

test('files that come later are added where they belong', () => {
  const top = treeOf('a/1');
  addFiles(top, [{ relative_path: 'a/2', size_bytes: 1, media_type: '', digest_sha256: '' }]);
  assert.deepEqual(shown(rowsOf(top, () => true)), ['a/', ' 1', ' 2']);
});

test('paths are found by a part of them, whatever its case', () => {
  const top = treeOf('logs/Build.log', 'logs/test.log', 'report.pdf');
  assert.deepEqual(shown(matchingRows(top, 'LOGS/b')), ['logs/Build.log']);
  assert.deepEqual(matchingRows(top, 'nothing'), []);
});

test('a line knows the folder that it is in', () => {
  const rows = rowsOf(treeOf('a/1', 'a/c/2', 'z'), () => true);
  assert.deepEqual(
    rows.map((_, index) => parentOf(rows, index)),
    [-1, 0, 0, 2, -1],
  );
});

test('a hundred thousand files are a tree in a moment', () => {
  const top = emptyFolder();
  const begun = process.threadCpuUsage();
  for (let page = 0; page < 100; page++)
    addFiles(
      top,
      Array.from({ length: 1_000 }, (_, index) => ({
        relative_path: `evidence/item-${page}/${index}.json`,
        size_bytes: 1,
        media_type: 'application/json',
        digest_sha256: '',
      })),
    );
  assert.equal(rowsOf(top, () => true).length, 100_101);
  // Of this thread, in microseconds: other work on the machine is none of it.
  const { user, system } = process.threadCpuUsage(begun);
  assert.ok(user + system < 2_000_000, `${user} and ${system}`);
});

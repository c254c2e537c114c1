import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { newDraftFolder } from '../../../src/client/tree/draft-folder.ts';
import { surveyTree, walkTree } from '../../../src/client/tree/walk.ts';

describe('a survey of a directory', () => {
  let root: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'artifactstore-walk-'));
    mkdirSync(join(root, 'dir'));
    writeFileSync(join(root, 'dir', 'file'), 'x');
    symlinkSync('file', join(root, 'dir', 'link'));
    execFileSync('mkfifo', [join(root, 'dir', 'pipe')]);
    writeFileSync(Buffer.concat([Buffer.from(`${root}/odd-`), Buffer.from([0xff])]), 'x');
    mkdirSync(join(root, 'empty'));
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  test('says what can not be in a package, and why, beside what can', () => {
    const { files, emptyDirectories, refused } = surveyTree(root);
    assert.deepEqual(
      files.map(({ relativePath }) => relativePath),
      ['dir/file'],
    );
    assert.deepEqual(emptyDirectories, ['empty/']);
    assert.deepEqual(refused.map(({ path, kind, reason }) => [path, kind, reason]).sort(), [
      ['dir/link', 'link', 'is a symbolic link'],
      ['dir/pipe', 'special', 'is not a regular file but a pipe'],
      ['odd-\ufffd', 'name', 'has a name that is not UTF-8'],
    ]);
    assert.throws(() => walkTree(root), /3 entries below .* can't be pushed/);
  });

  test('the folder of a pull that was killed is no content, wherever it is', () => {
    const name = newDraftFolder();
    for (const folder of [name, join('dir', name), '.artifactstore-mine']) {
      mkdirSync(join(root, folder));
      writeFileSync(join(root, folder, '1'), 'half');
    }
    const { files, draftFolders } = surveyTree(root);
    assert.deepEqual([...draftFolders].sort(), [`${name}/`, `dir/${name}/`]);
    assert.deepEqual(
      files.map(({ relativePath }) => relativePath),
      ['.artifactstore-mine/1', 'dir/file'],
    );
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDifference, differenceOf } from '../../../src/client/tree/difference.ts';
import type { FileContent } from '../../../src/client/tree/read-file.ts';
import type { FileFacts } from '../../../src/kernel/content/files-digest.ts';

const kept = (path: string, digest = 'aa', size = 1, executable = false): FileFacts => ({
  relative_path: path,
  size_bytes: size,
  digest_sha256: digest,
  annotations: executable ? { mode: 'executable' } : {},
});
const scanned = (path: string, digest = 'aa', size = 1, executable = false): FileContent =>
  ({ relativePath: path, contentAddress: `sha256:${digest}`, sizeBytes: size, executable }) as FileContent;

test('a file is its path, its bytes and its executable bit', () => {
  assert.equal(differenceOf([kept('a'), kept('b', 'bb', 2, true)], [scanned('a'), scanned('b', 'bb', 2, true)]), undefined);
  assert.deepEqual(
    differenceOf(
      [kept('bytes'), kept('gone'), kept('made executable'), kept('no longer', 'aa', 1, true), kept('same')],
      [scanned('bytes', 'ab'), scanned('made executable', 'aa', 1, true), scanned('new'), scanned('no longer'), scanned('same')],
    ),
    {
      added: ['new'],
      removed: ['gone'],
      changed: ['bytes', 'made executable', 'no longer'],
      executable_bit: ['made executable', 'no longer'],
    },
  );
});

test('a difference is described by its counts and the first ten names', () => {
  const none = { added: [], removed: [], changed: [], executable_bit: [] };
  const one = describeDifference({ ...none, removed: ['r'], changed: ['c', 'x'], executable_bit: ['x'] });
  assert.deepEqual(one, { summary: '1 removed, 2 changed', lines: '  removed  r\n  changed  c\n  changed  x (its executable bit)' });
  const many = describeDifference({ ...none, added: Array.from({ length: 41 }, (_, index) => `f${index}`) });
  assert.equal(many.summary, '41 added');
  assert.equal(many.lines.split('\n').length, 11);
  assert.match(many.lines, / {2}… and 31 more$/);
});

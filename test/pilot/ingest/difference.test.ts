import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDifference, differenceOf, isSame, type KeptFile } from '../../../pilot/ingest/difference.ts';
import type { ScannedFile } from '../../../pilot/ingest/scan.ts';

const kept = (path: string, digest = 'aa', size = 1, executable = false): KeptFile => ({
  relative_path: path,
  size_bytes: size,
  digest_sha256: digest,
  annotations: executable ? { mode: 'executable' } : {},
});
const scanned = (path: string, digest = 'aa', size = 1, executable = false): ScannedFile =>
  ({ relativePath: path, contentAddress: `sha256:${digest}`, sizeBytes: size, executable }) as ScannedFile;

test('a file is its path, its bytes and its executable bit', () => {
  assert.ok(isSame(differenceOf([kept('a'), kept('b', 'bb', 2, true)], [scanned('a'), scanned('b', 'bb', 2, true)])));
  assert.deepEqual(
    differenceOf(
      [kept('bytes'), kept('gone'), kept('made executable'), kept('no longer', 'aa', 1, true), kept('same')],
      [scanned('bytes', 'ab'), scanned('made executable', 'aa', 1, true), scanned('new'), scanned('no longer'), scanned('same')],
    ),
    { added: ['new'], removed: ['gone'], changed: ['bytes', 'made executable', 'no longer'] },
  );
});

test('a difference is described by its counts and a screenful of names', () => {
  const one = describeDifference({ added: [], removed: ['r'], changed: ['c'] });
  assert.deepEqual(one, { summary: '1 removed, 1 changed', lines: '  removed  r\n  changed  c' });
  const many = describeDifference({ added: Array.from({ length: 41 }, (_, index) => `f${index}`), removed: [], changed: [] });
  assert.equal(many.summary, '41 added');
  assert.equal(many.lines.split('\n').length, 31);
  assert.match(many.lines, / {2}… and 11 more$/);
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type FileFacts, filesDigest } from '../../../src/kernel/content/files-digest.ts';
import { canonicalJson } from '../../../src/kernel/format/json.ts';

const facts = (relative_path: string, more: Partial<FileFacts> = {}): FileFacts => ({
  relative_path,
  size_bytes: 1,
  digest_sha256: 'a'.repeat(64),
  annotations: {},
  ...more,
});

test('the digest of files is that of a text that anybody can write', () => {
  const text = `[{"annotations":{"mode":"executable"},"digest_sha256":"${'a'.repeat(64)}","relative_path":"a","size_bytes":1},{"annotations":{},"digest_sha256":"${'a'.repeat(64)}","relative_path":"b/\u00fc","size_bytes":1}]`;
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
  assert.equal(filesDigest([facts('b/\u00fc'), facts('a', { annotations: { mode: 'executable' } })]), digest);
  assert.equal(filesDigest([]), `sha256:${createHash('sha256').update('[]').digest('hex')}`);
});

test('each fact of a file changes it', () => {
  const seen = new Set(
    [
      [facts('a')],
      [facts('b')],
      [facts('a'), facts('b')],
      [facts('a', { size_bytes: 2 })],
      [facts('a', { digest_sha256: 'b'.repeat(64) })],
      [facts('a', { annotations: { mode: 'executable' } })],
    ].map(filesDigest),
  );
  assert.equal(seen.size, 6);
});

test('it is the canonical JSON of the whole list, however long', () => {
  const many = Array.from({ length: 2500 }, (_, index) =>
    facts(`f"${String(index).padStart(4, '0')}`, { annotations: { b: '\u2028', a: '\\' } }),
  );
  assert.equal(filesDigest(many.toReversed()), `sha256:${createHash('sha256').update(canonicalJson(many)).digest('hex')}`);
});

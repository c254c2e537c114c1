import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type FileFacts, filesDigest } from '../../src/kernel/files-digest.ts';

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

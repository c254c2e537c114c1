import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { filesDigestText } from '../../console/parts/acts/files-digest.ts';
import { filesDigest } from '../../src/kernel/content/files-digest.ts';

test('what the console seals by is what the registry computes', () => {
  const file = (relative_path: string, annotations: Readonly<Record<string, string>> = {}) => ({
    relative_path,
    size_bytes: relative_path.length,
    digest_sha256: createHash('sha256').update(relative_path).digest('hex'),
    annotations,
  });
  const lists = [[], [file('a')], [file('B "q" \\n'), file('a', { z: '\u2028é', mode: 'executable' }), file('ö/😀')]];
  for (const files of lists)
    assert.equal(
      `sha256:${createHash('sha256').update(filesDigestText(files).join('')).digest('hex')}`,
      filesDigest(files),
      JSON.stringify(files),
    );
});

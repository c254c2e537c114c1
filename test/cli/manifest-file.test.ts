import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadManifest, parseManifest, saveManifest } from '../../src/cli/manifest-file.ts';
import { encodeCbor } from '../../src/kernel/cbor.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';

const digest = 'a'.repeat(64);
const file = {
  relative_path: 'a/b',
  size_bytes: 1,
  digest_algorithm: 'blake3',
  digest_primary: digest,
  digest_sha256: digest,
  content_address: `blake3:${digest}`,
};

describe('a manifest from elsewhere', () => {
  test('is taken when it can be acted on', () => {
    assert.equal(parseManifest(encodeCbor({ manifest_version: 1, files: [file], something_new: true })).manifest.files.length, 1);
  });

  test('is refused when it can not', () => {
    const refused: readonly unknown[] = [
      'text',
      null,
      {},
      { manifest_version: 2, files: [] },
      { manifest_version: 1 },
      { manifest_version: 1, files: [{ ...file, relative_path: '../a' }] },
      { manifest_version: 1, files: [{ ...file, relative_path: '/etc/passwd' }] },
      { manifest_version: 1, files: [file, file] },
      { manifest_version: 1, files: [{ ...file, size_bytes: -1 }] },
      { manifest_version: 1, files: [{ ...file, size_bytes: 0.5 }] },
      { manifest_version: 1, files: [{ ...file, content_address: `blake3:${'b'.repeat(64)}` }] },
      { manifest_version: 1, files: [{ ...file, digest_sha256: 'A'.repeat(64) }] },
    ];
    for (const value of refused)
      assert.throws(
        () => parseManifest(encodeCbor(value)),
        (error) => isArtifactstoreError(error, 'integrity_failure'),
        JSON.stringify(value),
      );
    assert.throws(
      () => parseManifest(new Uint8Array([0xff])),
      (error) => isArtifactstoreError(error, 'integrity_failure'),
    );
  });

  test('is the same with the mark that Windows puts before text, and is saved as JSON under any spelling of .json', () => {
    const directory = mkdtempSync(join(tmpdir(), 'artifactstore-manifest-'));
    try {
      const read = parseManifest(encodeCbor({ manifest_version: 1, files: [file] }));
      const path = join(directory, 'm.JSON');
      saveManifest(path, read);
      const text = readFileSync(path, 'utf8');
      assert.equal(text[0], '{');
      const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le');
      for (const bytes of [Buffer.from(`\ufeff${text}`), utf16, Buffer.from(utf16).swap16()]) {
        writeFileSync(path, bytes);
        assert.equal(loadManifest(path).digest, read.digest);
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

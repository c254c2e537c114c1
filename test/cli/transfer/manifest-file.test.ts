import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadManifest, parseManifest, saveManifest } from '../../../src/cli/transfer/manifest-file.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { encodeCbor } from '../../../src/kernel/format/cbor.ts';

const digest = 'a'.repeat(64);
const file = {
  relative_path: 'a/b',
  size_bytes: 1,
  digest_algorithm: 'blake3',
  digest_primary: digest,
  digest_sha256: digest,
  content_address: `blake3:${digest}`,
  annotations: {},
};
const head = {
  manifest_version: 1,
  package: { id: '01a223bf-d695-7530-ba5e-5ad9d3134f7c' },
  provenance: { finalized_at: 't', finalized_by: 'x', registry_id: 'r', software: 's' },
};

describe('a manifest from elsewhere', () => {
  test('is taken when it can be acted on', () => {
    assert.equal(parseManifest(encodeCbor({ ...head, files: [file], something_new: true })).manifest.files.length, 1);
  });

  test('is refused when it can not', () => {
    const refused: readonly unknown[] = [
      'text',
      null,
      {},
      { ...head, manifest_version: 2, files: [] },
      head,
      { ...head, files: {} },
      { ...head, files: [null] },
      { ...head, files: [{ ...file, relative_path: 1 }] },
      { ...head, files: [{ ...file, annotations: null }] },
      { ...head, files: [], package: {} },
      { ...head, files: [], package: null },
      { ...head, files: [], provenance: [] },
      { ...head, files: [], provenance: { ...head.provenance, registry_id: 1 } },
      { ...head, files: [{ ...file, relative_path: '../a' }] },
      { ...head, files: [{ ...file, relative_path: '/etc/passwd' }] },
      { ...head, files: [file, file] },
      { ...head, files: [{ ...file, size_bytes: -1 }] },
      { ...head, files: [{ ...file, size_bytes: 0.5 }] },
      { ...head, files: [{ ...file, content_address: `blake3:${'b'.repeat(64)}` }] },
      { ...head, files: [{ ...file, digest_sha256: 'A'.repeat(64) }] },
    ];
    for (const value of refused)
      assert.throws(
        () => parseManifest(encodeCbor(value)),
        // In words of ours, not of the language.
        (error) => isArtifactstoreError(error, 'integrity_failure') && !/undefined|null|iterable|function/.test(error.message),
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
      const read = parseManifest(encodeCbor({ ...head, files: [file] }));
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

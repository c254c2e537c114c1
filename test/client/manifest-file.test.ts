import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadManifest, readManifest, saveManifest } from '../../src/client/manifest-file.ts';
import { encodeCbor } from '../../src/kernel/format/cbor.ts';
import { sampleManifest } from '../kernel/sample-manifest.ts';

describe('a saved manifest', () => {
  test('is the same with the mark that Windows puts before text, and is saved as JSON under any spelling of .json', () => {
    const directory = mkdtempSync(join(tmpdir(), 'artifactstore-manifest-'));
    try {
      const read = readManifest(encodeCbor(sampleManifest));
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

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { encodeCbor } from '../../src/kernel/format/cbor.ts';
import { canonicalJson, parseJson } from '../../src/kernel/format/json.ts';
import { parseManifest } from '../../src/kernel/manifest.ts';
import { sampleFile as file, sampleManifest as whole } from './sample-manifest.ts';

const { provenance, package: head, retention_summary: retention } = whole;
const [receipt] = whole.storage_receipts;

describe('a manifest from elsewhere', () => {
  test('is taken as CBOR and as the value of its JSON, with what a later version adds', () => {
    assert.deepEqual(parseManifest(encodeCbor(whole)), whole);
    assert.deepEqual(parseManifest(parseJson(Buffer.from(canonicalJson(whole)))), whole);
    const later = { ...whole, something_new: true };
    assert.deepEqual(parseManifest(encodeCbor(later)), later);
  });

  test('is refused when it is not whole or contradicts itself, with the place', () => {
    const refused: readonly (readonly [field: string | undefined, value: unknown])[] = [
      [undefined, 'text'],
      [undefined, null],
      [undefined, []],
      ['/manifest_version', {}],
      ['/manifest_version', { ...whole, manifest_version: 2 }],
      ['/package', { ...whole, package: null }],
      ['/package/id', { ...whole, package: { ...head, id: 1 } }],
      ['/package/metadata', { ...whole, package: { ...head, metadata: [] } }],
      ['/package/metadata_schema_slug', { ...whole, package: { ...head, metadata_schema_slug: 1 } }],
      ['/retention_summary/expires_at', { ...whole, retention_summary: { ...retention, expires_at: 1 } }],
      ['/provenance', { ...whole, provenance: [] }],
      ['/provenance/registry_id', { ...whole, provenance: { ...provenance, registry_id: 1 } }],
      ['/files', { ...whole, files: {} }],
      ['/files/0', { ...whole, files: [null] }],
      ['/files/1/id', { ...whole, files: [file, { ...file, id: null }] }],
      ['/files/0/relative_path', { ...whole, files: [{ ...file, relative_path: 1 }] }],
      ['/files/0/relative_path', { ...whole, files: [{ ...file, relative_path: '../a' }] }],
      ['/files/0/relative_path', { ...whole, files: [{ ...file, relative_path: '/etc/passwd' }] }],
      ['/files/1/relative_path', { ...whole, files: [file, file] }],
      ['/files/0/annotations', { ...whole, files: [{ ...file, annotations: null }] }],
      ['/files/0/annotations', { ...whole, files: [{ ...file, annotations: { mode: 1 } }] }],
      ['/files/0/size_bytes', { ...whole, files: [{ ...file, size_bytes: -1 }] }],
      ['/files/0/size_bytes', { ...whole, files: [{ ...file, size_bytes: 0.5 }] }],
      ['/files/0/content_address', { ...whole, files: [{ ...file, content_address: `blake3:${'b'.repeat(64)}` }] }],
      ['/files/0/digest_sha256', { ...whole, files: [{ ...file, digest_sha256: 'A'.repeat(64) }] }],
      ['/storage_receipts', { ...whole, storage_receipts: 1 }],
      ['/storage_receipts/0/object_key', { ...whole, storage_receipts: [{ ...receipt, object_key: [] }] }],
    ];
    for (const [field, value] of refused)
      assert.throws(
        () => parseManifest(encodeCbor(value), '"m.cbor"'),
        // In words of ours, not of the language.
        (error) =>
          isArtifactstoreError(error, 'integrity_failure') &&
          error.field === field &&
          error.message.startsWith('"m.cbor" can\'t be read as a manifest: ') &&
          !/undefined|null|iterable|function/.test(error.message),
        JSON.stringify(value),
      );
    assert.throws(
      () => parseManifest(new Uint8Array([0xff])),
      (error) => isArtifactstoreError(error, 'integrity_failure'),
    );
  });
});

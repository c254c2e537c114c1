import assert from 'node:assert/strict';
import { test } from 'node:test';
import { originalsOf, originKey, originOf } from '../../../src/client/import/origin.ts';
import { readSourceManifest } from '../../../src/client/import/source-records.ts';
import { verifiedBytes, verifyBytes } from '../../../src/client/import/verified-bytes.ts';
import { digestHex } from '../../../src/kernel/content/digest.ts';
import { type ErrorCode, isArtifactstoreError } from '../../../src/kernel/error.ts';
import { encodeCbor } from '../../../src/kernel/format/cbor.ts';
import type { JsonObject } from '../../../src/kernel/format/json.ts';

const bytes = Buffer.from('the bytes of a file');
const id = '01900000-0000-7000-8000-000000000000';
const file = {
  ...{ id, relative_path: 'a', media_type: 'text/plain', size_bytes: bytes.length, digest_algorithm: 'blake3' },
  ...{ digest_primary: digestHex('blake3', bytes), digest_sha256: digestHex('sha256', bytes), annotations: {} },
  content_address: `blake3:${digestHex('blake3', bytes)}`,
};

async function* inTwo(content: Uint8Array): AsyncIterable<Uint8Array> {
  yield content.subarray(0, 5);
  yield content.subarray(5);
}

const isCode = (code: ErrorCode) => (error: unknown) => isArtifactstoreError(error, code);

test('bytes are held to their length and to both digests, and of wrong ones the last piece is never given', async () => {
  assert.deepEqual(Buffer.concat(await Array.fromAsync(verifiedBytes(inTwo(bytes), file))), bytes);
  verifyBytes(bytes, file);
  const zero = '0'.repeat(64);
  const wrong = [{ digest_sha256: zero }, { digest_primary: zero }, { size_bytes: 3 }].map((member) => ({ ...file, ...member }));
  for (const stated of wrong) {
    const given: Uint8Array[] = [];
    const read = async (): Promise<void> => {
      for await (const chunk of verifiedBytes(inTwo(bytes), stated)) given.push(chunk);
    };
    await assert.rejects(read(), isCode('integrity_failure'));
    assert.equal(Buffer.concat(given).length, 5);
    assert.throws(() => verifyBytes(bytes, stated), isCode('integrity_failure'));
  }
  // An algorithm that is not known here is not compared; SHA-256 is.
  verifyBytes(bytes, { ...file, digest_algorithm: 'blake9', digest_primary: '00' });
});

test('a manifest is believed as far as it agrees with the record of its package and with itself', () => {
  const manifest = (more: JsonObject = {}, member: JsonObject = {}): Uint8Array =>
    encodeCbor({ package: { id }, files: [{ ...file, ...member }], provenance: { registry_id: 'r' }, ...more });
  const read = (sent: Uint8Array, digest = `blake3:${digestHex('blake3', sent)}`) =>
    readSourceManifest(sent, { id, manifest_digest: digest });
  const { registryId, files } = read(manifest());
  assert.deepEqual([registryId, files], ['r', [file]]);
  assert.throws(() => read(manifest(), `blake3:${'0'.repeat(64)}`), isCode('integrity_failure'));
  const cases: readonly (readonly [JsonObject, JsonObject, ErrorCode])[] = [
    [{ package: { id: 'another' } }, {}, 'integrity_failure'],
    [{ files: 'none' }, {}, 'integrity_failure'],
    [{ files: [file, file] }, {}, 'integrity_failure'],
    [{}, { relative_path: '../up' }, 'invalid_path'],
    [{}, { size_bytes: -1 }, 'integrity_failure'],
    [{}, { digest_sha256: 'AB' }, 'integrity_failure'],
    [{}, { content_address: `blake3:${'0'.repeat(64)}` }, 'integrity_failure'],
    [{}, { annotations: { mode: 1 } }, 'integrity_failure'],
  ];
  for (const [more, member, code] of cases) assert.throws(() => read(manifest(more, member)), isCode(code), JSON.stringify([more, member]));
  assert.throws(() => read(Buffer.from('<html>')), isCode('integrity_failure'));
});

test('an origin is one word, and a chain of copies has an end', () => {
  assert.equal(originOf({ registryId: 'two words/' }, { id }).registryId, 'unknown');
  assert.equal(originOf({ registryId: undefined }, { id }).registryId, 'unknown');
  const chain = { [originKey]: 'b/2', artifactstore_import: { package_id: '2', metadata: { artifactstore_import: { package_id: '1' } } } };
  assert.deepEqual(originalsOf({ metadata: chain }), ['2', '1']);
  let deep: JsonObject = {};
  for (let depth = 0; depth < 1000; depth++) deep = { artifactstore_import: { package_id: 'x', metadata: deep } };
  assert.equal(originalsOf({ metadata: deep }).length, 32);
});

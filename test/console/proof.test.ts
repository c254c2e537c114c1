import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeCbor, encodeFlat } from '../../console/workers/cbor.ts';
import { compareBytes, compareLink, compareManifest, fromHex, type Link } from '../../console/workers/proof.ts';
import { blake3, toHex } from '../../src/kernel/content/digest.ts';

interface Vectors {
  readonly cbor: readonly { readonly json: string; readonly cbor: string }[];
  readonly manifest: { readonly jcs: string; readonly cbor: string; readonly digest: string };
  readonly chain: readonly (Omit<Link, 'payload_digest' | 'chain_digest'> & {
    readonly payload_digest: string;
    readonly chain_digest: string;
    readonly link: string;
  })[];
}
const vectors = JSON.parse(readFileSync(new URL('../../docs/format-vectors.json', import.meta.url), 'utf8')) as Vectors;
const hash = (bytes: Uint8Array): string => toHex(blake3(bytes));
const named = (digest: string): string => (digest.startsWith('blake3:') ? digest : `blake3:${digest}`);
const links = vectors.chain.map(
  (event): Link => ({ ...event, payload_digest: named(event.payload_digest), chain_digest: named(event.chain_digest) }),
);
const digests = { size_bytes: 3, digest_sha256: 'aa', digest_algorithm: 'blake3', digest_primary: 'bb' };

test('the manifest and the links of docs/format.md are read as they are promised', () => {
  assert.deepEqual(decodeCbor(fromHex(vectors.manifest.cbor)), JSON.parse(vectors.manifest.jcs));
  for (const { link, sequence, created_at, event_type, subject_kind, subject_id, actor, payload_digest } of vectors.chain)
    assert.equal(
      toHex(encodeFlat([sequence, created_at, event_type, subject_kind, subject_id, actor, payload_digest.replace('blake3:', '')])),
      link,
    );
});

test('CBOR that ends early, has tags or more behind it is refused', () => {
  for (const hex of ['', '82', '6261', 'c000', '0000', 'ff', '9f', '1c', 'f8ff', '62ffff'])
    assert.throws(() => decodeCbor(fromHex(hex)), hex);
});

test('bytes are good only with their length and both digests', () => {
  const hashed = { size_bytes: 3, sha256: 'aa', blake3: 'bb' };
  assert.deepEqual(compareBytes(hashed, digests), { result: 'good', because: 'bytes_match' });
  for (const [changes, because] of [
    [{ size_bytes: 4 }, 'length_differs'],
    [{ sha256: 'ab' }, 'sha256_differs'],
    [{ blake3: 'ba' }, 'primary_differs'],
  ] as const) {
    const finding = compareBytes({ ...hashed, ...changes }, digests);
    assert.deepEqual([finding.result, finding.because], ['bad', because]);
  }
});

test('a manifest is good only with its digest, and when it names the bytes', () => {
  const bytes = fromHex(vectors.manifest.cbor);
  const expected = named(vectors.manifest.digest);
  const { files, provenance } = JSON.parse(vectors.manifest.jcs);
  const found = named(hash(bytes));
  const of = (digest: { found: string; expected: string }, file = files[0]) => compareManifest(bytes, digest, file);
  assert.deepEqual(of({ found, expected }), { finding: { result: 'good', because: 'manifest_matches' }, provenance });
  const alone = compareManifest(bytes, { found, expected }, undefined);
  assert.deepEqual(alone, { finding: { result: 'good', because: 'manifest_alone' }, provenance });
  assert.equal(of({ found: 'blake3:00', expected }).finding.because, 'manifest_differs');
  assert.equal(of({ found, expected }, { ...files[0], relative_path: 'other' }).finding.because, 'not_in_manifest');
  assert.equal(of({ found, expected }, { ...files[0], digest_sha256: '00' }).finding.because, 'manifest_names_other_bytes');
  assert.deepEqual(compareManifest(Uint8Array.of(255), { found, expected: found }, files[0]).finding, {
    result: 'unknown',
    because: 'not_understood',
  });
});

test('the event of the seal follows from the one before, or is known not to, or is unknown', () => {
  const seal = links.at(-1)!;
  const before = links.at(-2)!;
  const digest = seal.payload_digest;
  assert.deepEqual(compareLink(seal, before, digest, hash), { result: 'good', because: 'link_follows' });
  assert.deepEqual(compareLink(links[0], undefined, links[0]!.payload_digest, hash), { result: 'good', because: 'link_follows' });
  for (const [one, other, because] of [
    [{ ...seal, actor: 'somebody' }, before, 'link_broken'],
    [{ ...seal, created_at: '2026-03-01T12:00:00.001Z' }, before, 'link_broken'],
    [seal, { ...before, chain_digest: links[0]!.chain_digest }, 'link_broken'],
    [{ ...seal, payload_digest: before.payload_digest }, before, 'seal_names_other_manifest'],
  ] as const) {
    const finding = compareLink(one, other, digest, hash);
    assert.deepEqual([finding.result, finding.because], ['bad', because]);
  }
  for (const [one, other, because] of [
    [undefined, undefined, 'event_not_shown'],
    [{ ...seal, chain_digest: null }, before, 'chain_not_shown'],
    [seal, undefined, 'chain_not_shown'],
    [seal, links[0], 'chain_not_shown'],
  ] as const)
    assert.deepEqual(compareLink(one, other, digest, hash), { result: 'unknown', because });
});

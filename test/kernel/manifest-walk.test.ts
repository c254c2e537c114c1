import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeCbor } from '../../src/kernel/format/cbor.ts';
import { canonicalJson } from '../../src/kernel/format/json.ts';
import { type WalkedManifest, walkManifest } from '../../src/kernel/manifest-walk.ts';
import { sampleFile, sampleManifest } from './sample-manifest.ts';

const files = Array.from({ length: 1_234 }, (_, index) => ({
  ...sampleFile,
  relative_path: `ü/${index}`,
  annotations: { b: '"', a: '😀' },
}));
const manifest = { ...sampleManifest, files, a_member_of_later: [1, { z: null, y: [2.5] }], Zeta: { b: 1, a: 2 } };

function walk(value: unknown): { readonly rests: number; readonly walked: WalkedManifest } {
  const steps = walkManifest(encodeCbor(value));
  for (let rests = 0; ; rests++) {
    const next = steps.next();
    if (next.done === true) return { rests, walked: next.value };
  }
}

test('what is walked through is the same manifest, in pieces, with rests', () => {
  const { rests, walked } = walk(manifest);
  const pieces = [...walked.json()];
  assert.equal(pieces.join(''), canonicalJson(manifest));
  for (const piece of pieces) assert.ok(piece.length < 70_000);
  assert.deepEqual([...walked.files()], files);
  assert.equal(walked.finalizedAt, manifest.provenance.finalized_at);
  assert.equal(rests, 12);
});

test('what is no manifest is refused', () => {
  const { provenance, ...unsealed } = manifest;
  const refused = [[], { ...manifest, manifest_version: 2 }, unsealed, { ...manifest, provenance: { ...provenance, finalized_at: 1 } }];
  for (const value of refused) assert.throws(() => walk(value), { code: 'integrity_failure' });
  const bytes = encodeCbor(manifest);
  for (const cut of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.from([0])])])
    assert.throws(() => [...walkManifest(cut)], { code: 'integrity_failure' });
  assert.throws(() => [...walk({ ...manifest, files: [{ ...sampleFile, relative_path: '../x' }] }).walked.files()], {
    code: 'integrity_failure',
    field: '/files/0/relative_path',
  });
});

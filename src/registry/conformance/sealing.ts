import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blake3, toHex } from '../../kernel/content/digest.ts';
import { filesDigest } from '../../kernel/content/files-digest.ts';
import { encodeCbor } from '../../kernel/format/cbor.ts';
import { parseManifest } from '../../kernel/manifest.ts';
import type { PackageQuery } from '../REGISTRY.ts';
import { attachment, chunks, type Opened, refuses, samples } from './samples.ts';

export function sealingConformance(opened: Opened): void {
  const { registry, create, add } = samples(opened);
  describe('sealing', () => {
    it('seals a manifest whose bytes are the identity, and takes no file afterwards', async () => {
      const created = await create({ metadata: { ratio: 0.5, big: 9007199254740991, text: 'ü' } });
      await refuses('package_empty', registry().packages.finalize(created.id));
      await refuses('package_not_finalized', registry().packages.manifest(created.id));
      for (const path of ['b', 'a/z', 'a', 'ü']) await add(created.id, path, path);
      const sealed = await registry().packages.finalize(created.id);
      assert.deepEqual(await registry().packages.finalize(created.id), sealed);
      assert.equal(sealed.file_count, 4);
      await refuses('package_not_open', add(created.id, 'late', 'x'));
      await refuses('package_not_open', registry().files.attach(created.id, [attachment('b')]));
      await refuses('package_not_open', add(created.id, 'a', 'other bytes'));
      // What a sealed package holds can be sent again: nothing changes, so that a script can be repeated.
      const { last_sequence } = await registry().events.page({ limit: 1 });
      const again = await add(created.id, 'a', 'a', 'text/other');
      assert.deepEqual([again.created, again.record.relative_path, again.record.media_type], [false, 'a', 'application/octet-stream']);
      async function* many(paths: readonly string[]) {
        for (const path of paths) yield { relative_path: path, body: chunks(path) };
      }
      const together = await registry().files.addMany(created.id, many(['ü', 'b']));
      assert.deepEqual(
        together.map(({ record, created }) => [record.relative_path, created]),
        [
          ['ü', false],
          ['b', false],
        ],
      );
      await refuses('package_not_open', registry().files.addMany(created.id, many(['b', 'new'])));
      const [attached] = await registry().files.attach(created.id, [{ ...attachment('b'), relative_path: 'b' }]);
      assert.equal(attached!.result, 'exists');
      await refuses('package_not_open', registry().files.attach(created.id, [{ ...attachment('b'), relative_path: 'a' }]));
      assert.equal((await registry().events.page({ limit: 1 })).last_sequence, last_sequence);
      assert.deepEqual(await registry().packages.finalize(created.id), sealed);
      const { bytes, digest } = await registry().packages.manifest(created.id);
      assert.equal(digest, sealed.manifest_digest);
      assert.equal(`blake3:${toHex(blake3(bytes))}`, digest);
      const manifest = parseManifest(bytes);
      assert.equal(Buffer.compare(encodeCbor(manifest), bytes), 0);
      assert.deepEqual(
        manifest.files.map((file) => file.relative_path),
        ['a', 'a/z', 'b', 'ü'],
      );
      assert.deepEqual(
        manifest.storage_receipts.map((receipt) => receipt.file_id),
        manifest.files.map((file) => file.id),
      );
      assert.deepEqual(manifest.package.metadata, created.metadata);
      const record = (await registry().packages.get(created.id))!;
      assert.equal(record.status, 'finalized');
      assert.equal(record.finalized_at, manifest.provenance.finalized_at);
      const { items } = await registry().events.page({ subject_id: created.id, event_type: 'v1.package.finalized' });
      assert.equal(items[0]!.payload_digest, digest);
      assert.equal(items[0]!.created_at, manifest.provenance.finalized_at);
    });

    it('finds what is sealed by the digest of its manifest, beside other conditions', async () => {
      const [first, second] = [await create(), await create()];
      for (const { id } of [first, second]) await add(id, 'a', 'a');
      const { manifest_digest } = await registry().packages.finalize(first.id);
      const other = await registry().packages.finalize(second.id);
      const found = async (query: PackageQuery) => (await registry().packages.list(query)).items.map(({ id }) => id);
      assert.deepEqual(await found({ manifest_digest }), [first.id]);
      assert.deepEqual(await found({ manifest_digest: other.manifest_digest }), [second.id]);
      const { producer, name } = first;
      assert.deepEqual(await found({ manifest_digest, producer, name, status: 'finalized', limit: 1 }), [first.id]);
      assert.deepEqual(await found({ manifest_digest, producer: second.producer }), []);
      assert.deepEqual(await found({ manifest_digest, status: 'created' }), []);
      assert.deepEqual(await found({ manifest_digest: `blake3:${'0'.repeat(64)}` }), []);
      const hex = manifest_digest.slice('blake3:'.length);
      for (const wrong of ['', hex, `blake3:${hex.toUpperCase()}`, `blake3:${hex.slice(2)}`, `sha256:${hex}`, `${manifest_digest} `, 'x'])
        await refuses('invalid_address', found({ manifest_digest: wrong }));
    });

    it('seals with an expectation only what was expected, and holds what was sealed to it', async () => {
      const { id } = await create();
      const { record } = await add(id, 'a', 'a');
      const expected = { files_digest: filesDigest([record]) };
      const late = await add(id, 'late', 'of somebody else');
      await refuses('precondition_failed', registry().packages.finalize(id, expected));
      assert.equal((await registry().packages.get(id))!.status, 'created');
      await refuses(['invalid_address', 'malformed_request'], registry().packages.finalize(id, { files_digest: 'sha256:short' }));
      await refuses(
        ['invalid_address', 'malformed_request'],
        registry().packages.finalize(id, { files_digest: expected.files_digest.replace('sha256', 'blake3') }),
      );
      const both = { files_digest: filesDigest([late.record, record]) };
      const sealed = await registry().packages.finalize(id, both);
      assert.deepEqual(await registry().packages.finalize(id, both), sealed);
      assert.deepEqual(await registry().packages.finalize(id), sealed);
      await refuses('precondition_failed', registry().packages.finalize(id, expected));
    });
  });
}

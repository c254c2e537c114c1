import assert from 'node:assert/strict';
import { it } from 'node:test';
import { blake3 } from '../../kernel/content/digest.ts';
import { isArtifactstoreError } from '../../kernel/error.ts';
import type { Registry } from '../REGISTRY.ts';
import { chunks, holdsBytes, patterned, refuses, samples } from './samples.ts';

const mebibyte = 1_048_576;

/** Digests of the pieces that a body from `offset` on is cut into where blocks of the file end. */
function digestsOf(bytes: Uint8Array, offset = 0): Uint8Array {
  const digests: Uint8Array[] = [];
  for (let at = offset; at < bytes.length; at += mebibyte - (at % mebibyte))
    digests.push(blake3(bytes.subarray(at, Math.min(bytes.length, at + mebibyte - (at % mebibyte)))));
  return Buffer.concat(digests);
}

/** What uploads do whose bytes are checked block by block while they come. Called where tests are described. */
export function describeBlocksOf(registry: () => Registry): void {
  const { create } = samples(registry);
  const uploads = () => registry().uploads!;

  it('is told of the first bad block as soon as it has come, and stays before it', async () => {
    const { id: package_id } = await create();
    const bytes = patterned(3 * mebibyte + 5);
    const { id } = await uploads().begin({ package_id, relative_path: 'a', size_bytes: bytes.length });
    const block_digests = digestsOf(bytes);
    let asked = 0;
    async function* changed(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += 65_536) {
        asked = at;
        const chunk = Uint8Array.from(bytes.subarray(at, at + 65_536));
        if (at === mebibyte + 65_536) chunk[9]! ^= 1;
        yield chunk;
      }
    }
    const refused = await uploads()
      .append(id, 0, changed(), { block_digests })
      .catch((error: unknown) => error);
    assert.ok(isArtifactstoreError(refused, 'block_digest_mismatch'), String(refused));
    assert.deepEqual([refused.info?.block_index, refused.info?.block_offset_bytes], [1, mebibyte]);
    assert.ok(asked < 2 * mebibyte, 'more was taken than the bad block');
    assert.equal((await uploads().status(id))!.offset_bytes, mebibyte);
    const rest = { block_digests: digestsOf(bytes, mebibyte) };
    const { file_id } = await uploads().append(id, mebibyte, chunks(bytes.subarray(mebibyte)), rest);
    await holdsBytes(registry(), (await registry().files.get(file_id!))!, bytes);
  });

  it('has whole blocks of a body that breaks off, and of one that begins within a block its rest', async () => {
    const { id: package_id } = await create();
    const bytes = patterned(2 * mebibyte + 9);
    const { id } = await uploads().begin({ package_id, relative_path: 'a', size_bytes: bytes.length });
    await uploads().append(id, 0, chunks(bytes.subarray(0, 100)));
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(100, mebibyte + 70_000);
      throw new Error('The line broke.');
    }
    await assert.rejects(uploads().append(id, 100, broken(), { block_digests: digestsOf(bytes, 100) }), /The line broke/);
    assert.equal((await uploads().status(id))!.offset_bytes, mebibyte);
    // Fewer than there are blocks: the rest is taken as it comes.
    const first = { block_digests: digestsOf(bytes, mebibyte).subarray(0, 32) };
    const { state } = await uploads().append(id, mebibyte, chunks(bytes.subarray(mebibyte)), first);
    assert.equal(state, 'finished');
  });

  it('takes whole digests of blocks only', async () => {
    const { id: package_id } = await create();
    const { id } = await uploads().begin({ package_id, relative_path: 'a' });
    for (const length of [0, 31, 33])
      await refuses('invalid_value', uploads().append(id, 0, chunks('abc'), { block_digests: new Uint8Array(length) }));
    await refuses('block_digest_mismatch', uploads().append(id, 0, chunks('abc'), { block_digests: new Uint8Array(32) }));
    assert.equal((await uploads().status(id))!.offset_bytes, 0);
    await uploads().append(id, 0, chunks('abc'), { block_digests: blake3(Buffer.from('abc')) });
    assert.equal((await uploads().status(id))!.offset_bytes, 3);
  });
}

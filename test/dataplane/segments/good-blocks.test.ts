import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { goodBlocks } from '../../../src/dataplane/segments/good-blocks.ts';
import { blake3 } from '../../../src/kernel/content/digest.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { cut, mebibyte } from '../planes.ts';

const bytes = randomBytes(3 * mebibyte + 11);

function digestsFrom(position: number): Uint8Array {
  const ends = [mebibyte, 2 * mebibyte, 3 * mebibyte, bytes.length].filter((end) => end > position);
  return Buffer.concat(ends.map((end, index) => blake3(bytes.subarray(index === 0 ? position : ends[index - 1]!, end))));
}

async function pass(body: Uint8Array, position: number, digests: Uint8Array, lengths: readonly number[]) {
  const passed: Buffer[] = [];
  try {
    for await (const piece of goodBlocks(cut(body, lengths), position, digests)) passed.push(Buffer.from(piece));
    return { passed: Buffer.concat(passed), error: undefined };
  } catch (error) {
    return { passed: Buffer.concat(passed), error };
  }
}

test('good bytes pass, however they are cut and wherever they begin', async () => {
  for (const position of [0, 1, mebibyte - 1, mebibyte, mebibyte + 1])
    for (const lengths of [[65_521], [1, 2 * mebibyte], [4 * mebibyte]])
      for (const known of [1, 2, 9]) {
        const body = bytes.subarray(position);
        const { passed, error } = await pass(body, position, digestsFrom(position).subarray(0, 32 * known), lengths);
        assert.equal(error, undefined);
        assert.equal(Buffer.compare(passed, body), 0);
      }
});

test('of bytes that differ nothing passes from their piece on, and it is named', async () => {
  for (const at of [0, mebibyte - 1, mebibyte, 3 * mebibyte, bytes.length - 1]) {
    const wrong = Buffer.from(bytes);
    wrong[at]! ^= 0x80;
    const block = Math.floor(at / mebibyte);
    const { passed, error } = await pass(wrong, 0, digestsFrom(0), [70_000]);
    assert.ok(isArtifactstoreError(error, 'block_digest_mismatch'), String(error));
    assert.deepEqual([error.info?.block_index, error.info?.block_offset_bytes], [block, block * mebibyte]);
    assert.equal(Buffer.compare(passed, bytes.subarray(0, block * mebibyte)), 0);
  }
});

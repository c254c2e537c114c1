import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBlockDigestsField } from '../../src/protocol/block-digests-field.ts';

test('digests of blocks are one byte sequence of whole digests', () => {
  const digests = Buffer.from(Array.from({ length: 64 }, (_, index) => index));
  assert.deepEqual(Buffer.from(parseBlockDigestsField(`:${digests.toString('base64')}:`)!), digests);
  const one = digests.subarray(0, 32).toString('base64');
  for (const wrong of ['', '::', one, `:${one.slice(4)}:`, `:${one}:;a=1`, `:${one}:, :${one}:`, '"text"', '7', ':=:'])
    assert.equal(parseBlockDigestsField(wrong), undefined, wrong);
});

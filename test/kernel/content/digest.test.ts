import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type Algorithm,
  algorithms,
  blake3,
  createHasher,
  fromHex,
  sameBytes,
  sha256,
  toHex,
  utf8,
} from '../../../src/kernel/content/digest.ts';

test('the empty input, and what FIPS 180-4 gives for abc', () => {
  assert.equal(toHex(blake3(new Uint8Array())), 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262');
  assert.equal(toHex(sha256(new Uint8Array())), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  assert.equal(toHex(sha256(utf8('abc'))), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

test('a hasher gives the one-shot digest, however the bytes are cut', () => {
  const oneShot = { blake3, sha256 } satisfies { [A in Algorithm]: (bytes: Uint8Array) => Uint8Array };
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 8 }), (chunks) => {
      const all = Buffer.concat(chunks);
      for (const algorithm of ['blake3', 'sha256'] as const) {
        const hasher = createHasher(algorithm);
        for (const chunk of chunks) hasher.update(chunk);
        const digest = hasher.digest();
        assert.equal(digest.length, algorithms[algorithm].digestBytes);
        assert.deepEqual(digest, oneShot[algorithm](all));
      }
      assert.equal(toHex(sha256(all)), createHash('sha256').update(all).digest('hex'));
    }),
  );
});

test('hex there and back, also of a view into a larger buffer', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(5), (bytes, offset) => {
      const view = bytes.subarray(Math.min(offset, bytes.length));
      assert.equal(toHex(view), [...view].map((byte) => byte.toString(16).padStart(2, '0')).join(''));
      assert.deepEqual(fromHex(toHex(view)), view.slice());
    }),
  );
});

test('what is not lowercase hex has no bytes', () => {
  for (const text of ['0', 'abc', 'AB', '0g', ' 00', '00\n', '0x00', 'é0']) assert.equal(fromHex(text), undefined, text);
});

test('bytes are the same when every one is', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, at, mask) => {
      const other = bytes.slice();
      assert.ok(sameBytes(bytes, other));
      assert.ok(!sameBytes(bytes, other.subarray(1)));
      other[at % other.length]! ^= mask;
      assert.ok(!sameBytes(bytes, other));
    }),
  );
});

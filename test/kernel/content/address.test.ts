import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { addressPattern, formatAddress, isAddress, parseAddress, splitAddress } from '../../../src/kernel/content/address.ts';
import { toHex } from '../../../src/kernel/content/digest.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('an address is made, parsed and split without loss', () => {
  fc.assert(
    fc.property(fc.constantFrom('blake3', 'sha256'), digest, (algorithm, bytes) => {
      const address = formatAddress(algorithm, bytes);
      assert.equal(address, `${algorithm}:${toHex(bytes)}`);
      assert.equal(formatAddress(algorithm, toHex(bytes)), address);
      assert.equal(parseAddress(address), address);
      assert.deepEqual(splitAddress(address), { algorithm, hex: toHex(bytes) });
    }),
  );
});

test('an unknown algorithm of legal shape is accepted, at any even length', () => {
  for (const text of ['md5:00', `x-1_y:${'ab'.repeat(64)}`, 'constructor:00']) assert.equal(parseAddress(text), text);
});

const hex = '0a'.repeat(32);
const illegal: readonly (readonly [string, RegExp])[] = [
  ['', /no ":"/],
  [hex, new RegExp(`no ":".*write sha256:${hex} `)],
  [`:${hex}`, /no algorithm/],
  ['blake3:', /no digest/],
  [`blake3:${hex.toUpperCase()}`, /lowercase hex/],
  [`blake3:${hex.slice(1)}`, /odd/],
  [`blake3:${hex.slice(2)}`, /62 hex digits where blake3 has 64/],
  [`sha256:${hex}00`, /66 hex digits where sha256 has 64/],
  [`blake3:${hex.slice(1)}g`, /lowercase hex/],
  [`blake3:${hex}\n`, /lowercase hex/],
  [`blake3:blake3:${hex}`, /lowercase hex/],
  [`Blake3:${hex}`, /\[a-z\]/],
  [`3blake:${hex}`, /\[a-z\]/],
  [`bla ke:${hex}`, /\[a-z\]/],
  [` blake3:${hex}`, /\[a-z\]/],
];
for (const [text, reason] of illegal) {
  test(`refused: ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseAddress(text, 'digest'),
      (error) => isArtifactstoreError(error, 'invalid_address') && error.field === 'digest' && reason.test(error.message),
    );
  });
}

test('the pattern says the same as the parser', () => {
  const pattern = new RegExp(addressPattern, 'u');
  for (const [text] of illegal) assert.ok(!pattern.test(text), text);
  const algorithm = fc.constantFrom('blake3', 'sha256', 'sha', 'blake3x', 'md5', '');
  fc.assert(
    fc.property(algorithm, fc.constantFrom(0, 1, 2, 62, 63, 64, 65, 66), (name, length) => {
      const text = `${name}:${'a'.repeat(length)}`;
      assert.equal(pattern.test(text), isAddress(text), text);
    }),
  );
});

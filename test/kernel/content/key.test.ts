import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAddress } from '../../../src/kernel/content/address.ts';
import { objectKey, parseObjectKey } from '../../../src/kernel/content/key.ts';

const digest = 'ab12'.padEnd(64, '0');

test('a key is the plain layout, and the generation after it', () => {
  assert.equal(objectKey(formatAddress('blake3', digest), 0), `blake3/ab/12/${digest}`);
  assert.equal(objectKey(formatAddress('sha256', digest), 12), `sha256/ab/12/${digest}.12`);
});

test('a key leads back to its address and generation', () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(fc.constantFrom('blake3', 'sha256'), bytes, fc.nat(1_000_000), (algorithm, digest, generation) => {
      const address = formatAddress(algorithm, digest);
      assert.deepEqual(parseObjectKey(objectKey(address, generation)), { address, generation });
    }),
  );
});

const foreign = [
  '',
  'readme.txt',
  digest,
  `blake3/${digest}`,
  `blake3/ab/13/${digest}`,
  `blake3/aa/12/${digest}`,
  `blake3/ab/12/${digest}.0`,
  `blake3/ab/12/${digest}.01`,
  `blake3/ab/12/${digest}.`,
  `blake3/ab/12/${digest}.1.1`,
  `blake3/ab/12/${digest}.-1`,
  `blake3/ab/12/${digest}.1e3`,
  `blake3/ab/12/${digest}.${'9'.repeat(16)}`,
  `blake3/AB/12/${digest.toUpperCase()}`,
  `blake3/ab/12/${digest.slice(0, -2)}`,
  `blake3/ab/12/${digest.slice(0, -1)}`,
  `blake3/ab/12/${digest}\n`,
  `/blake3/ab/12/${digest}`,
  `x/blake3/ab/12/${digest}`,
  'drafts/0190f0a0-0000-7000-8000-000000000001',
];
for (const key of foreign)
  test(`not a key of ours: ${JSON.stringify(key)}`, () => {
    assert.equal(parseObjectKey(key), undefined);
  });

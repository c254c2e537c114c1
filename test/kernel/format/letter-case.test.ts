import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { camelCase, snakeCase } from '../../../src/kernel/format/letter-case.ts';

test('names change, values and what is within them do not', () => {
  const inner = { still_so: 1 };
  const camel = camelCase({ size_bytes: 3, digest_sha256: 'x', id: inner });
  assert.deepEqual(camel, { sizeBytes: 3, digestSha256: 'x', id: inner });
  assert.equal(camel.id, inner);
  const size: number = camel.sizeBytes;
  assert.equal(size, 3);
  assert.deepEqual(snakeCase({ sizeBytes: 3, relativePath: 'a', id: 1 }), { size_bytes: 3, relative_path: 'a', id: 1 });
});

test('there and back is the same', () => {
  const name = fc.stringMatching(/^[a-z]+(_[a-z]+){0,3}$/);
  fc.assert(
    fc.property(fc.dictionary(name, fc.integer()), (given) => {
      const record = { ...given };
      assert.deepEqual(snakeCase(camelCase(record)), record);
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkIdempotencyKey } from '../../../src/kernel/format/idempotency-key.ts';

test('a key is what a header keeps whole', () => {
  for (const key of ['k', 'build 7', '~'.repeat(255), '!']) assert.equal(checkIdempotencyKey(key), key);
  for (const bad of ['', ' k', 'k ', 'ü', 'a\nb', 'a\u0000', 'k'.repeat(256), 7, null, undefined])
    assert.throws(() => checkIdempotencyKey(bad), { code: 'invalid_value', field: '/idempotency_key' });
});

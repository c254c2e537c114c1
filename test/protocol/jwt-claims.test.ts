import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numericDate, unverifiedClaims } from '../../src/protocol/jwt-claims.ts';

const token = (payload: string): string => `e30.${Buffer.from(payload).toString('base64url')}.c2ln`;

test('the claims of a token are read without its signature', () => {
  assert.deepEqual(unverifiedClaims(token('{"exp":1,"aud":["a"]}')), { exp: 1, aud: ['a'] });
  assert.deepEqual(unverifiedClaims(token('{}').replace('c2ln', '')), {});
});

test('what is no token claims nothing', () => {
  for (const text of ['', 'token', 'a.b', 'a.b.c', token('[]'), token('{'), `${token('{}')}.x`, ` ${token('{}')}`])
    assert.equal(unverifiedClaims(text), undefined, text);
});

test('a date is a number of seconds that a calendar knows', () => {
  assert.equal(numericDate(1.5), 1500);
  for (const claim of [undefined, null, '1', Number.NaN, Number.POSITIVE_INFINITY, 1e300, {}]) assert.equal(numericDate(claim), undefined);
  assert.ok(!Number.isNaN(new Date(numericDate(8_640_000_000_000) ?? Number.NaN).getTime()));
});

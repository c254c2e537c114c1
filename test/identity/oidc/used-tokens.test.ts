import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUsedTokens } from '../../../src/identity/oidc/used-tokens.ts';

test('what was used is kept until it ends, and where there is no room a use is not counted', () => {
  const used = createUsedTokens(0, 3);
  assert.equal(used.take('a', 100, 0), 'first');
  assert.equal(used.take('b', 200, 0), 'first');
  assert.equal(used.take('c', 300, 0), 'first');
  assert.equal(used.take('a', 100, 50), 'again');
  assert.equal(used.take('d', 300, 99), 'full');
  assert.equal(used.take('d', 300, 99), 'full');
  assert.equal(used.take('d', 300, 100), 'first');
  assert.equal(used.take('b', 200, 100), 'again');
  assert.equal(used.take('e', 400, 100), 'full');
  assert.equal(used.take('e', 400, 300), 'first');
  assert.equal(used.take('f', 400, 300), 'first');
  assert.equal(used.take('g', 400, 300), 'first');
  assert.equal(used.take('h', 400, 300), 'full');
});

test('it is kept by its digest, so that a long one takes no more room', () => {
  const used = createUsedTokens(0);
  const long = 'x'.repeat(10_000);
  assert.equal(used.take(`${long}1`, 1, 0), 'first');
  assert.equal(used.take(`${long}2`, 1, 0), 'first');
  assert.equal(used.take(`${long}1`, 1, 0), 'again');
});

test('no more than 100,000 are kept of one issuer', () => {
  const used = createUsedTokens(0);
  for (let number = 0; number < 100_000; number++) used.take(`${number}`, 1, 0);
  assert.equal(used.take('one more', 1, 0), 'full');
});

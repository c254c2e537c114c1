import assert from 'node:assert/strict';
import { test } from 'node:test';
import { issuerDefaults } from '../../../src/identity/oidc/issuer-config.ts';
import { keySetOf } from '../../../src/identity/oidc/key-set.ts';
import { createVerifiedTokens, type Verified } from '../../../src/identity/oidc/verified-tokens.ts';

const verified: Verified = {
  token: { issuer: 'ci', claims: {}, expiresAt: 1 },
  config: { ...issuerDefaults, name: 'ci', issuer: 'https://id.example.org', audience: 'a', jwksUrl: undefined, caFile: undefined },
  keys: keySetOf({ keys: [] })!,
};

test('as many tokens as there is room for are kept: those that were used last', () => {
  const tokens = createVerifiedTokens(2);
  for (const text of ['a', 'b']) tokens.keep(text, verified);
  assert.equal(tokens.get('a'), verified);
  tokens.keep('c', verified);
  assert.deepEqual(
    ['a', 'b', 'c'].map((text) => tokens.get(text) !== undefined),
    [true, false, true],
  );
});

test('of all issuers no more than 4,096 are kept', () => {
  const tokens = createVerifiedTokens();
  for (let number = 0; number <= 4_096; number++) tokens.keep(`${number}`, verified);
  assert.deepEqual([tokens.get('0'), tokens.get('1')], [undefined, verified]);
});

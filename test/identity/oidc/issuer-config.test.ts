import assert from 'node:assert/strict';
import test from 'node:test';
import { issuerDefaults, signingAlgorithms } from '../../../src/identity/oidc/issuer-config.ts';

test('no algorithm is without a key or with one that checks and makes signatures', () => {
  assert.ok(!signingAlgorithms.some((algorithm) => /none|^(HS|A\d|dir)/i.test(algorithm)));
  assert.ok(issuerDefaults.algorithms.every((algorithm) => signingAlgorithms.includes(algorithm)));
});

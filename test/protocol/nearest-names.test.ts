import assert from 'node:assert/strict';
import test from 'node:test';
import { nearestNames } from '../../src/protocol/nearest-names.ts';

test('a slip of the hand and a left-out word lead to the name that was meant', () => {
  assert.deepEqual(nearestNames('isuer', ['issuer', 'role', 'claims']), ['issuer']);
  assert.deepEqual(nearestNames('repo_id', ['repository_id', 'repository_owner_id', 'ref']), ['repository_id']);
  assert.deepEqual(nearestNames('colour', ['issuer', 'role']), []);
});

test('whoever writes the names does not decide how long it takes', () => {
  const name = 'a'.repeat(1_000_000);
  assert.deepEqual(nearestNames(name, [`${name}b`]), []);
  assert.deepEqual(nearestNames('PORT', [`PORT${name}`, 'PORTS']), ['PORTS']);
  assert.deepEqual(nearestNames('PROT', ['PORT', ...Array.from({ length: 100_000 }, (_, index) => `X${index}`)]), ['PORT']);
});

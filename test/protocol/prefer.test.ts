import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefersMinimal } from '../../src/protocol/prefer.ts';

test('a caller prefers a minimal answer when it says so, whatever else it says', () => {
  for (const field of [
    'return=minimal',
    'Return = "minimal"',
    'respond-async, return=minimal; foo="a;b"',
    'return=minimal, return=representation',
    ['wait=10', 'return=minimal'],
  ])
    assert.equal(prefersMinimal(field), true, String(field));
  for (const field of [
    undefined,
    '',
    [],
    'return',
    'return=',
    'return=representation, return=minimal',
    'return=MINIMAL',
    'noreturn=minimal',
    'foo; return=minimal',
    ',,;=',
  ])
    assert.equal(prefersMinimal(field), false, String(field));
});

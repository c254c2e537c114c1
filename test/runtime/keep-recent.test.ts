import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepRecent } from '../../src/runtime/keep-recent.ts';

test('keeps what was used last, and no more than there is room for', () => {
  const recent = keepRecent<{ readonly name: string }>(2);
  const made: string[] = [];
  const get = (name: string) =>
    recent.get(name, () => {
      made.push(name);
      return { name };
    });
  const first = get('a');
  get('b');
  assert.equal(get('a'), first);
  get('c');
  assert.equal(get('a'), first, 'what was used last is kept');
  assert.deepEqual(made, ['a', 'b', 'c']);
  get('b');
  assert.deepEqual(made, ['a', 'b', 'c', 'b'], 'what was not used for longest has left');
  for (let index = 0; index < 1_000; index++) get(`many ${index}`);
  assert.equal(made.length, 1_004);
  get('many 999');
  get('many 998');
  assert.equal(made.length, 1_004);
});

test('keeps nothing of what could not be made', () => {
  const recent = keepRecent<string>(2);
  assert.throws(() => recent.get('a', () => assert.fail('not now')), /not now/);
  assert.equal(
    recent.get('a', () => 'made'),
    'made',
  );
});

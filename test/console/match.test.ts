import assert from 'node:assert/strict';
import { test } from 'node:test';
import { match } from '../../console/match.ts';

test('a path of the console is matched whole, and its parameters are decoded', () => {
  assert.deepEqual(match('', ''), {});
  assert.deepEqual(match('packages', 'packages'), {});
  assert.deepEqual(match('packages', 'packages/'), {});
  assert.deepEqual(match('packages/:id', 'packages/a%20b'), { id: 'a b' });
  assert.deepEqual(match('packages/:id/files/*', 'packages/1/files/a/b%2Fc%23.txt'), { id: '1', '*': 'a/b/c#.txt' });
  for (const [pattern, path] of [
    ['', 'packages'],
    ['packages', 'packages/1'],
    ['packages', 'Packages'],
    ['packages/:id', 'packages'],
    ['packages/:id', 'packages/'],
    ['packages/:id', 'packages/1/files'],
    ['packages/:id', 'packages/%E0%A4%A'],
    ['packages/:id/files/*', 'packages/1/files'],
    ['packages/:id/files/*', 'packages/1/files/%'],
  ] as const)
    assert.equal(match(pattern, path), undefined, `${pattern} ${path}`);
});

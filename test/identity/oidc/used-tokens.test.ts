import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
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
  // As text that was read, of which none is a part of another.
  const long = (number: number): string => Buffer.from(`${number} `.padEnd(10_000, 'x')).toString('latin1');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = heap();
  for (let number = 0; number < 2_000; number++) assert.equal(used.take(long(number), 1, 0), 'first');
  const grown = heap() - before;
  assert.ok(grown < 2_000_000, `${grown} bytes for 20,000,000`);
  assert.equal(used.take(long(1), 1, 0), 'again');
});

test('no more than 100,000 are kept of one issuer', () => {
  const used = createUsedTokens(0);
  for (let number = 0; number < 100_000; number++) used.take(`${number}`, 1, 0);
  assert.equal(used.take('one more', 1, 0), 'full');
});

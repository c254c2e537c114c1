import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseTokens } from '../../src/config/tokens.ts';

describe('a list of tokens', () => {
  test('that is wrong is refused with every entry that is, by its number, and nothing of its text', () => {
    const right = parseTokens('plain\nbuild 1=abc==');
    assert.deepEqual(
      right.map(({ token }) => token),
      ['plain', 'abc=='],
    );
    assert.throws(
      () => parseTokens('plain,hidden words,plain,\u0007=hidden,last=fine'),
      ({ message }: Error) => {
        assert.match(message, /^entry 2 is not a bearer token: .*; entry 3 repeats an earlier token; entry 4 has an actor /);
        assert.doesNotMatch(message, /hidden|entry [15]/);
        return true;
      },
    );
  });

  test('of which a hundred are wrong is refused with the first ten', () => {
    assert.throws(() => parseTokens('a b,'.repeat(100)), /entry 10 .*; …$/);
  });
});

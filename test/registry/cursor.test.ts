import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeCursor, encodeCursor } from '../../src/registry/cursor.ts';

const query = ['list', { producer: 'ci', subject: null }];

describe('cursors', () => {
  it('carry positions there and back', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => decodeCursor(query, encodeCursor(query, text), 'string') === text));
    fc.assert(fc.property(fc.maxSafeNat(), (number) => decodeCursor(query, encodeCursor(query, number), 'number') === number));
    assert.equal(decodeCursor(query, undefined, 'number'), null);
  });

  it('are refused when made up, changed, or moved to another list', () => {
    const good = encodeCursor(query, 42);
    const refuses = (cursor: string, of: typeof query = query, kind: 'string' | 'number' = 'number') =>
      assert.throws(() => decodeCursor(of, cursor, kind), { code: 'invalid_cursor' });
    refuses(good, ['list', { producer: 'other', subject: null }]);
    refuses(good, query, 'string');
    refuses(`${good}=`);
    refuses('');
    fc.assert(fc.property(fc.string(), (text) => text === good || refuses(text) === undefined));
    const bytes = Buffer.from(good, 'base64url');
    for (let index = 0; index < bytes.length * 8; index++) {
      const flipped = Buffer.from(bytes);
      flipped[index >> 3]! ^= 1 << (index & 7);
      refuses(flipped.toString('base64url'));
    }
  });
});

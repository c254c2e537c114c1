import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isRelativePath } from '../../src/kernel/content/path.ts';
import { decodeCursor, encodeCursor } from '../../src/registry/cursor.ts';

const query = ['list', { producer: 'ci', subject: null }];

describe('cursors', () => {
  it('carry positions there and back', () => {
    const path = fc.string({ unit: 'grapheme' }).filter(isRelativePath);
    fc.assert(fc.property(path, (text) => decodeCursor(query, encodeCursor(query, text), 'path') === text));
    const sequence = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
    fc.assert(fc.property(sequence, (number) => decodeCursor(query, encodeCursor(query, number), 'sequence') === number));
    assert.equal(decodeCursor(query, undefined, 'sequence'), null);
  });

  it('are refused when made up, changed, or moved to another list', () => {
    const good = encodeCursor(query, 42);
    const refuses = (cursor: string, of: typeof query = query, kind: 'path' | 'sequence' = 'sequence') =>
      assert.throws(() => decodeCursor(of, cursor, kind), { code: 'invalid_cursor' });
    refuses(good, ['list', { producer: 'other', subject: null }]);
    refuses(good, query, 'path');
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

  it('are refused when their check value is right and no list can have given them out', () => {
    for (const position of [0.5, 1.5, -1, 0, -0.0, 2 ** 53, 1e300, Number.MIN_VALUE])
      assert.throws(() => decodeCursor(query, encodeCursor(query, position), 'sequence'), { code: 'invalid_cursor' }, String(position));
    for (const position of ['', '/', 'a\u0000', '../a', 'x'.repeat(1025)])
      assert.throws(() => decodeCursor(query, encodeCursor(query, position), 'path'), { code: 'invalid_cursor' }, position);
  });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatContentRange, parseRange, selectRange } from '../../src/protocol/range.ts';

test('reads the three forms of a single range', () => {
  assert.deepEqual(parseRange('bytes=0-4'), { kind: 'from', first: 0, last: 4 });
  assert.deepEqual(parseRange('bytes=7-'), { kind: 'from', first: 7 });
  assert.deepEqual(parseRange('bytes=-3'), { kind: 'suffix', length: 3 });
  assert.deepEqual(parseRange('BYTES= 0-0 '), { kind: 'from', first: 0, last: 0 });
});

test('ignores what is not one range of bytes', () => {
  for (const value of [
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=a-b',
    'bytes=5-2',
    'bytes=0-1,3-4',
    'lines=0-1',
    'bytes=0x1-2',
    'bytes=1.0-2',
    'bytes=+1-2',
  ])
    assert.equal(parseRange(value), undefined, value);
});

test('nothing can be selected beyond the end, of nothing, or by an empty suffix', () => {
  assert.equal(selectRange({ kind: 'from', first: 5 }, 5), undefined);
  assert.equal(selectRange({ kind: 'from', first: 0 }, 0), undefined);
  assert.equal(selectRange({ kind: 'suffix', length: 0 }, 5), undefined);
});

test('what is selected is what slicing selects', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
  const position = fc.nat({ max: 60 });
  fc.assert(
    fc.property(bytes, position, position, (content, first, length) => {
      const all = [...content.keys()];
      const slice = (range: { first: number; last: number } | undefined) =>
        range === undefined ? [] : all.slice(range.first, range.last + 1);
      const closed = parseRange(`bytes=${first}-${first + length}`);
      const open = parseRange(`bytes=${first}-`);
      const suffix = parseRange(`bytes=-${length}`);
      assert.deepEqual(slice(selectRange(closed!, all.length)), all.slice(first, first + length + 1));
      assert.deepEqual(slice(selectRange(open!, all.length)), all.slice(first));
      assert.deepEqual(slice(selectRange(suffix!, all.length)), length === 0 ? [] : all.slice(-length));
    }),
  );
});

test('no text makes it throw, and every range that it reads is sane', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^bytes=[0-9,-]{0,40}$/)), fc.nat(), (text, size) => {
      const request = parseRange(text);
      const range = request === undefined ? undefined : selectRange(request, size);
      if (range === undefined) return;
      assert.ok(0 <= range.first && range.first <= range.last && range.last < size);
      assert.match(formatContentRange(range, size), /^bytes \d+-\d+\/\d+$/);
    }),
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseContentRange } from '../../src/protocol/content-range.ts';

test('a range of bytes, of a whole whose length is known or not', () => {
  assert.deepEqual(parseContentRange('bytes 0-99/1000'), { first: 0, last: 99, size: 1000 });
  assert.deepEqual(parseContentRange(' Bytes  5-5/* '), { first: 5, last: 5 });
  assert.deepEqual(parseContentRange('bytes 0-9007199254740990/9007199254740991')?.last, Number.MAX_SAFE_INTEGER - 1);
});

test('what is none', () => {
  for (const value of [
    '',
    'bytes',
    'bytes 0-99',
    'bytes */1000',
    'bytes 1-0/5',
    'bytes 0-5/5',
    'bytes -1-5/9',
    'bytes 0-9/9007199254740993',
    'bytes 0-1/2, 3-4/5',
    'items 0-1/2',
    'bytes=0-1/2',
  ])
    assert.equal(parseContentRange(value), undefined, value);
});

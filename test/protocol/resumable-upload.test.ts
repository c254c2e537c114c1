import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBooleanField, formatLimitField, parseBooleanField, parseCountField } from '../../src/protocol/resumable-upload.ts';

test('a count is an integer of RFC 9651, 0 or more, and nothing else', () => {
  for (const [text, count] of [
    ['0', 0],
    ['42', 42],
    ['999999999999999', 999_999_999_999_999],
    ['7;a=b', 7],
    ['-1', undefined],
    ['1.0', undefined],
    ['1000000000000000', undefined],
    ['1, 1', undefined],
    ['one', undefined],
    ['?1', undefined],
    ['', undefined],
  ] as const)
    assert.equal(parseCountField(text), count, text);
});

test('a boolean is ?1 or ?0, and comes back as it was', () => {
  for (const text of ['1', 'true', '?2', '', '?1, ?1']) assert.equal(parseBooleanField(text), undefined, text);
  for (const value of [true, false]) assert.equal(parseBooleanField(formatBooleanField(value)), value);
});

test('limits are a dictionary, with whole seconds that are never less than none', () => {
  assert.equal(formatLimitField({ maximumBytes: 5 }), 'max-size=5');
  assert.equal(formatLimitField({ maximumBytes: 5, secondsLeft: 7.9 }), 'max-size=5, max-age=7');
  assert.equal(formatLimitField({ maximumBytes: 5, secondsLeft: -1 }), 'max-size=5, max-age=0');
});

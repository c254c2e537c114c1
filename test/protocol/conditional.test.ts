import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ifMatchHolds, ifNoneMatchHits, ifRangeHolds } from '../../src/protocol/conditional.ts';

test('If-None-Match compares weakly, in lists, and knows the star', () => {
  for (const field of ['"a"', 'W/"a"', '"x", "a"', '"x" ,W/"a"', '*', ' * ']) assert.ok(ifNoneMatchHits(field, '"a"'), field);
  for (const field of ['"b"', 'a', '', '"A"', '"ab"']) assert.ok(!ifNoneMatchHits(field, '"a"'), field);
  assert.ok(ifNoneMatchHits('"a"', 'W/"a"'));
});

test('If-Match compares strongly', () => {
  for (const field of ['"a"', '"x", "a"', '*']) assert.ok(ifMatchHolds(field, '"a"'), field);
  for (const field of ['W/"a"', '"b"', 'a']) assert.ok(!ifMatchHolds(field, '"a"'), field);
  assert.ok(!ifMatchHolds('W/"a"', 'W/"a"'));
});

test('If-Range takes one strong tag and no date', () => {
  assert.ok(ifRangeHolds('"a"', '"a"'));
  for (const field of ['W/"a"', '"b"', 'Fri, 20 Nov 2026 10:00:00 GMT', '']) assert.ok(!ifRangeHolds(field, '"a"'), field);
});

test('commas and quotes inside a tag belong to it', () => {
  assert.ok(ifNoneMatchHits('"a,b"', '"a,b"'));
  assert.ok(!ifNoneMatchHits('"a,b"', '"a"'));
});

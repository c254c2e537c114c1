import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeCbor, stepThroughCbor } from '../../../src/kernel/format/cbor.ts';
import { jsonPiecesOf, stepOver } from '../../../src/kernel/format/cbor-json.ts';
import { jsonValues } from './json-arbitraries.ts';

test('the text of what is stepped through is that of the value', () => {
  fc.assert(
    fc.property(jsonValues, (value) => {
      const steps = stepThroughCbor(encodeCbor(value));
      assert.deepEqual(JSON.parse([...jsonPiecesOf(steps)].join('')), JSON.parse(JSON.stringify(value)));
      assert.ok(steps.ended());
    }),
  );
});

test('a long value is text in pieces, and is stepped over with rests', () => {
  const value = { a: Array.from({ length: 5_000 }, (_, index) => ({ index, text: 'ü'.repeat(50) })) };
  const bytes = encodeCbor(value);
  const pieces = [...jsonPiecesOf(stepThroughCbor(bytes))];
  assert.deepEqual(JSON.parse(pieces.join('')), value);
  assert.ok(pieces.length > 4 && pieces.every((piece) => piece.length < 70_000));
  const steps = stepThroughCbor(bytes);
  assert.ok([...stepOver(steps)].length > 4);
  assert.ok(steps.ended());
});

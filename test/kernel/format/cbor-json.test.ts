import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeCbor, stepThroughCbor } from '../../../src/kernel/format/cbor.ts';
import { jsonOfStretches, jsonPiecesOf, stepOver } from '../../../src/kernel/format/cbor-json.ts';
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

test('the text of bytes that come in stretches is that of the value, wherever they are cut', () => {
  fc.assert(
    fc.property(jsonValues, fc.array(fc.nat()), (value, cuts) => {
      const bytes = encodeCbor(value);
      const json = jsonOfStretches();
      const text: string[] = [];
      const at = [...new Set(cuts.map((cut) => cut % bytes.length)), bytes.length].sort((left, right) => left - right);
      for (const [index, end] of at.entries()) text.push(...json.push(bytes.subarray(at[index - 1] ?? 0, end)));
      json.end();
      assert.deepEqual(JSON.parse(text.join('')), JSON.parse(JSON.stringify(value)));
      // A page begins with an event, and what follows is none of it.
      assert.deepEqual([...json.push(bytes)], []);
    }),
  );
});

test('what is missing of bytes that come in stretches is said at the end', () => {
  for (const cut of [1, 2, 5]) {
    const json = jsonOfStretches();
    const text = [...json.push(encodeCbor({ a: [1, 'bcd'] }).subarray(0, -cut))].join('');
    assert.ok(text.startsWith('{'));
    assert.throws(() => json.end(), { code: 'integrity_failure' });
  }
});

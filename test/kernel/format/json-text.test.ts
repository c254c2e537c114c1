import assert from 'node:assert/strict';
import test from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { jsonObjectOf, keptObject, keptTexts } from '../../../src/kernel/format/json-text.ts';

test('a text is the object that it holds, or none', () => {
  assert.deepEqual(jsonObjectOf('{"a":[1]}'), { a: [1] });
  for (const text of ['', '{', '[]', 'null', '1', '"a"']) assert.equal(jsonObjectOf(text), undefined, text);
});

test('what was kept as an object, or as texts, and is not so is told', () => {
  assert.deepEqual(keptObject('{"a":1}'), { a: 1 });
  assert.deepEqual(keptTexts('{"mode":"executable"}'), { mode: 'executable' });
  for (const read of [() => keptObject('[]'), () => keptObject('{'), () => keptTexts('{"a":1}'), () => keptTexts('null')])
    assert.throws(read, (error) => isArtifactstoreError(error, 'internal'));
});

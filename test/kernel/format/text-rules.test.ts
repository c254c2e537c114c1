import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLonger, reasonPattern, textPattern } from '../../../src/kernel/format/text-rules.ts';

test('characters are counted as code points', () => {
  for (const character of ['a', 'ü', '💡']) {
    assert.ok(!isLonger(character.repeat(10), 10));
    assert.ok(isLonger(character.repeat(11), 10));
  }
});

test('texts have no control character, and reasons are not blank but may have tabs and newlines', () => {
  const [text, reason] = [new RegExp(textPattern, 'u'), new RegExp(reasonPattern, 'u')];
  for (const each of ['', 'a b', 'é💡']) assert.ok(text.test(each), each);
  for (const each of ['a\n', '\u0000', '\u007f', '\u0085', '\u009f']) assert.ok(!text.test(each), JSON.stringify(each));
  for (const each of ['why', ' a\tb\nc ', '💡']) assert.ok(reason.test(each), each);
  for (const each of ['', ' ', '\n\t ', 'a\r', 'a\u0000', '\u0085']) assert.ok(!reason.test(each), JSON.stringify(each));
});

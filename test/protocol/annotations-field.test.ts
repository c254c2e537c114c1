import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAnnotationsField, parseAnnotationsField } from '../../src/protocol/annotations-field.ts';

test('reads strings and display strings', () => {
  assert.deepEqual(parseAnnotationsField('mode="executable", title=%"caf%c3%a9"'), { mode: 'executable', title: 'café' });
  assert.deepEqual(parseAnnotationsField(''), {});
});

test('refuses what is not a dictionary of strings', () => {
  for (const value of [
    'mode=executable',
    'mode',
    'mode=1',
    'mode=("a")',
    'Mode="a"',
    'mode="a";b=1',
    'mode="a" x',
    'mode="a"b="c"',
    'mode="\u00e9"',
    'mode=:AAAA:',
  ])
    assert.equal(parseAnnotationsField(value), undefined, value);
});

test('what it writes it reads, and in ASCII', () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9_.-]{0,10}$/);
  const text = fc.string({ unit: 'binary' }).filter((value) => !/\p{Cc}/u.test(value) && value.isWellFormed());
  fc.assert(
    fc.property(fc.dictionary(key, text, { noNullPrototype: true }), (annotations) => {
      const field = formatAnnotationsField(annotations);
      assert.match(field, /^[\x20-\x7e]*$/);
      assert.deepEqual(parseAnnotationsField(field), annotations);
    }),
  );
});

test('no text makes it throw', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseAnnotationsField(text)));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formsOf } from '../../../src/secrets/scan/forms.ts';

const value = 'p@ss/w+rd "ü" 100%';

function found(text: string, of: string = value): readonly string[] {
  return formsOf(of)
    .filter(({ bytes }) => Buffer.from(text, 'latin1').includes(Buffer.from(bytes)))
    .map(({ form }) => form);
}

test('finds a value in every form in which it slips through', () => {
  const bytes = Buffer.from(value);
  const latin = (text: string): string => Buffer.from(text).toString('latin1');
  assert.ok(found(latin(`x${value}y`)).includes('plain'));
  for (const text of [encodeURIComponent(value), encodeURIComponent(value).toLowerCase(), bytes.toString('hex').replace(/../g, '%$&')])
    assert.ok(found(`?a=${text}&b`).includes('percent'), text);
  assert.ok(found(bytes.toString('hex')).includes('hex'));
  assert.ok(found(bytes.toString('hex').toUpperCase()).includes('hex'));
  assert.ok(found(latin(JSON.stringify({ value }))).includes('json'));
});

test('finds it within base64, whatever is before and behind', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 9 }), fc.uint8Array({ maxLength: 9 }), (before, behind) => {
      const whole = Buffer.concat([before, Buffer.from(value), behind]);
      assert.ok(found(whole.toString('base64')).includes('base64'));
      assert.ok(found(whole.toString('base64url')).includes('base64'));
    }),
  );
});

test('has no form that is found by chance', () => {
  for (const { bytes } of formsOf('12345678')) assert.ok(bytes.length >= 8);
});

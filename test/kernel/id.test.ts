import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { v7, validate, version } from 'uuid';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { parseId, uuidv7 } from '../../src/kernel/id.ts';

const time = fc.maxSafeNat().map((n) => n % 2 ** 48);
const random = fc.uint8Array({ minLength: 10, maxLength: 10 });

test('the example of RFC 9562, appendix A.6', () => {
  // unix_ts_ms 017F22E279B0, rand_a CC3, rand_b 18C4DC0C0C07398F
  const bytes = Uint8Array.of(0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f);
  assert.equal(uuidv7(0x017f22e279b0, bytes), '017f22e2-79b0-7cc3-98c4-dc0c0c07398f');
});

test('every id is a version 7 UUID of its time and random bits', () => {
  fc.assert(
    fc.property(time, random, (milliseconds, bytes) => {
      const id = uuidv7(milliseconds, bytes);
      assert.equal(parseId(id), id);
      assert.ok(validate(id));
      assert.equal(version(id), 7);
      assert.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), milliseconds);
    }),
  );
});

test('74 random bits tell ids of one millisecond apart', () => {
  const zero = uuidv7(1, new Uint8Array(10));
  let distinct = 0;
  for (let bit = 0; bit < 80; bit++) {
    const bytes = new Uint8Array(10);
    bytes[bit >> 3] = 0x80 >> (bit & 7);
    if (uuidv7(1, bytes) !== zero) distinct++;
  }
  assert.equal(distinct, 74);
});

test('ids sort by time', () => {
  fc.assert(fc.property(time, time, random, random, (a, b, r, s) => a === b || uuidv7(a, r) < uuidv7(b, s) === a < b));
});

test('a time or a length out of range is a fault of the caller', () => {
  for (const milliseconds of [-1, 2 ** 48, 1.5, Number.NaN]) assert.throws(() => uuidv7(milliseconds, new Uint8Array(10)), RangeError);
  assert.throws(() => uuidv7(0, new Uint8Array(9)), RangeError);
});

test('the canonical form of any version is an id, and nothing else is', () => {
  fc.assert(fc.property(fc.uuid(), (id) => assert.equal(parseId(id), id)));
  const id = v7();
  assert.equal(parseId(id), id);
  for (const text of [
    '',
    id.toUpperCase(),
    id.replaceAll('-', ''),
    `{${id}}`,
    `${id}\n`,
    ` ${id}`,
    id.slice(1),
    `${id}0`,
    `g${id.slice(1)}`,
  ])
    assert.throws(
      () => parseId(text, 'package_id'),
      (error) => isArtifactstoreError(error, 'invalid_id') && error.field === 'package_id',
      text,
    );
});

test('a text that is no id is shown, as far as it can be', () => {
  const shown = (text: string) => {
    try {
      return parseId(text);
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.match(shown('0198C0DE-5a1e-7000-8000-000000000001'), /"0198C0DE-5a1e-7000-8000-000000000001"/);
  assert.match(shown('a\u001b[31m"'), /"a\?\[31m""/);
  assert.ok(shown('x'.repeat(10_000)).length < 200);
});

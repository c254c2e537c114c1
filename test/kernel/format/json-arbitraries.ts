import fc from 'fast-check';
import type { JsonValue } from '../../../src/kernel/format/json.ts';

/** Numbers that both canonical forms and the JSON door carry, with the boundaries of every encoding. */
export const numbers: fc.Arbitrary<number> = fc
  .oneof(
    fc.maxSafeInteger(),
    fc.integer({ min: -300, max: 300 }),
    fc.constantFrom(0, 23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
    fc.constantFrom(-1, -24, -25, -256, -257, -65536, -65537, -(2 ** 32), -(2 ** 32) - 1),
    fc.constantFrom(0.5, -1.5, 2 ** -24, 2 ** -25, 2 ** -14, 1023 * 2 ** -24, 2049 * 2 ** -12, 2 ** -149, 5e-324, 0.1, -4.1),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  )
  .map((value) => (value === 0 ? 0 : value))
  .filter((value) => !Number.isInteger(value) || Number.isSafeInteger(value));

export const strings: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 300 }),
  fc.string({ unit: fc.constantFrom('a', 'b', '\u00e9', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'), maxLength: 40 }),
);

const keys: fc.Arbitrary<string> = fc.oneof(strings, fc.constantFrom('__proto__', 'constructor', 'toString', '', '0', '10', '9', 'length'));

/** Any value that the door lets in, nested a few levels. */
export const jsonValues: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<JsonValue>(null, true, false),
    numbers,
    strings,
    fc.array(tie('value'), { maxLength: 30 }),
    fc.uniqueArray(fc.tuple(keys, tie('value')), { maxLength: 30, selector: ([key]) => key }).map((members) => Object.fromEntries(members)),
  ),
})).value;

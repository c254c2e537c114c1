import assert from 'node:assert/strict';
import { test } from 'node:test';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { utf8 } from '../../../src/kernel/content/digest.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { canonicalJson, checkJson, maximumJsonDepth, parseJson } from '../../../src/kernel/format/json.ts';
import { jsonValues } from './json-arbitraries.ts';

/** RFC 8785, appendix B: the bits of a double and its text. */
const numberTable: readonly (readonly [bits: string, text: string])[] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
];

function ofBits(bits: string): number {
  return Buffer.from(bits, 'hex').readDoubleBE();
}

test('RFC 8785, appendix B: numbers', () => {
  for (const [bits, text] of numberTable) assert.equal(canonicalJson(ofBits(bits)), text);
  for (const bits of ['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000'])
    assert.throws(
      () => canonicalJson(ofBits(bits)),
      (error) => isArtifactstoreError(error, 'invalid_value'),
    );
});

test('RFC 8785, section 3.2.2: the serialization example', () => {
  const input = String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`;
  assert.equal(
    canonicalJson(JSON.parse(input)),
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  );
});

test('RFC 8785, section 3.2.3: keys by UTF-16 code units', () => {
  const value = parseJson(
    utf8(String.raw`{"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}`),
  );
  assert.deepEqual(Object.values(JSON.parse(canonicalJson(value))).sort(), Object.values(value as object).sort());
  assert.equal(
    canonicalJson(value),
    '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign",' +
      '"😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
  );
});

test('the canonical form is what another implementation writes, and is read back as the same value', () => {
  fc.assert(
    fc.property(jsonValues, (value) => {
      const text = canonicalJson(value);
      assert.equal(text, canonicalize(value));
      assert.deepEqual(parseJson(utf8(text)), value);
      assert.equal(checkJson(value), value);
    }),
    { numRuns: 500 },
  );
});

test('what is no JSON value has no canonical form', () => {
  const notJson = [
    undefined,
    [undefined],
    { a: undefined },
    new Array(1),
    () => 1,
    Symbol('a'),
    1n,
    new Date(0),
    new Map(),
    new Uint8Array(1),
  ];
  for (const value of notJson) {
    assert.throws(() => canonicalJson(value), TypeError);
    assert.throws(
      () => checkJson(value),
      (error) => isArtifactstoreError(error, 'invalid_value'),
    );
  }
  for (const value of ['\ud800', { '\udc00': 1 }])
    assert.throws(
      () => canonicalJson(value),
      (error) => isArtifactstoreError(error, 'invalid_value'),
    );
});

test('checkJson names the place', () => {
  const refused: readonly (readonly [unknown, string])[] = [
    [{ a: [1, { 'b/~': undefined }] }, '/metadata/a/1/b~1~0'],
    [[Number.NaN], '/metadata/0'],
    [{ a: '\ud800' }, '/metadata/a'],
    [{ a: { '\ud800': 1 } }, '/metadata/a'],
    [Number.POSITIVE_INFINITY, '/metadata'],
  ];
  for (const [value, field] of refused)
    assert.throws(
      () => checkJson(value, '/metadata'),
      (error) => isArtifactstoreError(error, 'invalid_value') && error.field === field,
      field,
    );
});

test('checkJson stops at cycles and at depth', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  assert.throws(
    () => checkJson(cycle),
    (error) => isArtifactstoreError(error, 'invalid_value'),
  );
  const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));
  checkJson(nested(maximumJsonDepth));
  assert.throws(() => checkJson(nested(maximumJsonDepth + 1)), /nested/);
});

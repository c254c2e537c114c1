import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { utf8 } from '../../../src/kernel/content/digest.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { beginJson, maximumJsonDepth, parseJson } from '../../../src/kernel/format/json.ts';

function refuses(reason: RegExp): (error: unknown) => boolean {
  return (error) => isArtifactstoreError(error, 'malformed_json') && reason.test(error.message);
}

const legal = [
  '0',
  '-0.0',
  '1e2',
  '1E+2',
  '10.50e-1',
  '0.1',
  '0.10000000000000000000',
  '1.7976931348623157e-300',
  '5e-324',
  '9007199254740991',
  '9007199254740992',
  '6.02e23',
  '1e300',
  '-9007199254740991',
  '9007199254740991.0',
  '90071992547409910e-1',
  '0e999999999999999999999',
  '""',
  '"\\u0000\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\\"\\\\"',
  '"\u007f\u2028\ufeff"',
  ' \t\r\n{ "a" : [ 1 , true , false , null , { } , [ ] ] } \n',
];
for (const text of legal)
  test(`read as JSON.parse reads it: ${JSON.stringify(text)}`, () => {
    const expected: unknown = JSON.parse(text);
    assert.deepEqual(parseJson(utf8(text)), Object.is(expected, -0) ? 0 : expected);
  });

const illegal: readonly (readonly [string, RegExp])[] = [
  ['', /ends too soon/],
  [' ', /ends too soon/],
  ['{', /key in double quotes/],
  ['[', /ends too soon/],
  ['[1', /"," or "\]"/],
  ['[1,]', /a value is missing/],
  ['[,1]', /a value is missing/],
  ['{"a":1,}', /key in double quotes/],
  ['{"a" 1}', /":" is missing/],
  ['{a:1}', /key in double quotes/],
  ["{'a':1}", /key in double quotes/],
  ['{"a":1 "b":2}', /"," or "}"/],
  ['1 2', /something after/],
  ['01', /something after/],
  ['+1', /a value is missing/],
  ['.5', /a value is missing/],
  ['1.', /something after/],
  ['1e', /something after/],
  ['-', /a value is missing/],
  ['0x10', /something after/],
  ['NaN', /a value is missing/],
  ['Infinity', /a value is missing/],
  ['nul', /a value is missing/],
  ['True', /a value is missing/],
  ['// 1', /a value is missing/],
  ['\u00a01', /a value is missing/],
  ['\ufeff1', /byte order mark/],
  ['"a', /not closed/],
  ['"a\\', /unknown escape/],
  ['"\\x41"', /unknown escape/],
  ['"\\u12"', /four hex digits/],
  ['"\\u12g4"', /four hex digits/],
  ['"a\nb"', /control character/],
  ['"\0"', /control character/],
  ['"\\ud800"', /lone surrogate/],
  ['"\\ude00\\ud83d"', /lone surrogate/],
  ['{"\\udfff":1}', /lone surrogate/],
  ['{"a":1,"b":2,"a":1}', /twice/],
  ['{"a":1,"\\u0061":1}', /twice/],
  ['{"__proto__":1,"__proto__":1}', /twice/],
  ['{"toString":1,"toString":1}', /twice/],
  ['1e400', /not a finite number/],
  ['-1e400', /not a finite number/],
  ['1e-400', /more digits/],
  ['12345678901234567890', /more digits/],
  ['9007199254740993', /more digits/],
  ['0.12345678901234567891', /more digits/],
  ['0.30000000000000004441', /more digits/],
  ['9007199254740990.9', /more digits/],
  ['1.00000000000000000001', /more digits/],
];
for (const [text, reason] of illegal)
  test(`refused: ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseJson(utf8(text)), refuses(reason));
  });

test('bytes that are not UTF-8 are refused', () => {
  for (const bytes of [
    [0x22, 0xff, 0x22],
    [0x22, 0xc0, 0xaf, 0x22],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
    [0x22, 0xc3, 0x22],
    [0xff, 0xfe, 0x31, 0],
  ])
    assert.throws(() => parseJson(Uint8Array.from(bytes)), refuses(/not UTF-8/));
});

test('the fault is placed by line and column', () => {
  assert.throws(
    () => parseJson(utf8('{\n  "a": 1,\n  "b": oops\n}')),
    (error) => {
      assert.ok(isArtifactstoreError(error, 'malformed_json'));
      assert.deepEqual(error.info, { line: 3, column: 8 });
      return true;
    },
  );
});

test('depth is limited, however deep the input goes', () => {
  const nested = (depth: number): Uint8Array => utf8(`${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`);
  parseJson(nested(maximumJsonDepth));
  assert.throws(() => parseJson(nested(maximumJsonDepth + 2)), refuses(/over 64 deep/));
  assert.throws(() => parseJson(utf8('['.repeat(1_000_000))), refuses(/over 64 deep/));
  assert.throws(() => parseJson(utf8('[[1]]'), { maximumDepth: 1 }), refuses(/over 1 deep/));
  parseJson(utf8('[{"a":1},[]]'), { maximumValues: 4 });
  assert.throws(() => parseJson(utf8('[{"a":1},[],2]'), { maximumValues: 4 }), {
    code: 'body_too_large',
    info: { bound: 'json_values', limit: 4 },
  });
});

test('__proto__ is a key like any other', () => {
  const value = parseJson(utf8('{"__proto__":{"polluted":true},"constructor":1}')) as { polluted?: boolean };
  assert.equal(value.polluted, undefined);
  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor']);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test('JSON.parse agrees on every text that is taken', () => {
  const fragment = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"a"',
    '"\\u0062"',
    '1',
    '-2.5e1',
    'true',
    'null',
    ' ',
    '"',
    '\\',
    '0',
    'e',
    '\n',
  );
  const texts = fc.oneof(
    fc.array(fragment, { maxLength: 12 }).map((parts) => parts.join('')),
    fc.json(),
    fc.tuple(fc.json(), fc.nat(), fragment).map(([text, at, part]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + part + text.slice(place + 1);
    }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      let value: unknown;
      try {
        value = parseJson(utf8(text));
      } catch (error) {
        assert.ok(isArtifactstoreError(error, 'malformed_json'));
        return;
      }
      assert.equal(JSON.stringify(value), JSON.stringify(JSON.parse(text)));
      const reading = beginJson(utf8(text));
      while (!reading.read(3)) assert.throws(() => reading.value());
      assert.deepEqual(reading.value(), value);
    }),
    { numRuns: 2000 },
  );
});

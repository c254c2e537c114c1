import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode } from 'cbor2';
import fc from 'fast-check';
import { fromHex, toHex } from '../../../src/kernel/content/digest.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { decodeCbor, encodeCbor, encodeCborSequence, maximumCborDepth, spentCborArray } from '../../../src/kernel/format/cbor.ts';
import { canonicalJson, type JsonValue } from '../../../src/kernel/format/json.ts';
import { canonicalExamples, refusedEncodings } from './cbor-vectors.ts';
import { jsonValues } from './json-arbitraries.ts';

function refused(error: unknown): boolean {
  return isArtifactstoreError(error, 'integrity_failure');
}

test('RFC 8949, appendix A: the examples within the form', () => {
  for (const [value, hex] of canonicalExamples) {
    assert.equal(toHex(encodeCbor(value)), hex, canonicalJson(value));
    assert.deepEqual(decodeCbor(fromHex(hex)!), value, hex);
  }
});

for (const [rule, encodings] of Object.entries(refusedEncodings))
  test(`the decoder refuses ${rule}`, () => {
    for (const hex of encodings) assert.throws(() => decodeCbor(Buffer.from(hex, 'hex')), refused, hex);
  });

test('another implementation encodes and decodes every value alike', () => {
  fc.assert(
    fc.property(jsonValues, (value) => {
      const bytes = encodeCbor(value);
      assert.equal(toHex(bytes), toHex(encode(value, { cde: true })));
      assert.deepEqual(decodeCbor(bytes), value);
      assert.deepEqual(decode(bytes), value);
    }),
    { numRuns: 500 },
  );
});

test('both canonical forms carry the same value', () => {
  fc.assert(fc.property(jsonValues, (value) => assert.equal(canonicalJson(decodeCbor(encodeCbor(value))), canonicalJson(value))));
});

test('the order of keys in memory does not matter', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 4 }), { maxLength: 60 }), (keys) => {
      const forward = Object.fromEntries(keys.map((key) => [key, 1]));
      const backward = Object.fromEntries(keys.toReversed().map((key) => [key, 1]));
      assert.deepEqual(encodeCbor(forward), encodeCbor(backward));
    }),
  );
});

test('every half-precision float is encoded as one, and no other', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    const bytes = Uint8Array.of(0xf9, bits >> 8, bits & 0xff);
    const value = decode(bytes) as number;
    if (!Number.isFinite(value) || Number.isInteger(value)) assert.throws(() => decodeCbor(bytes), refused);
    else {
      assert.equal(decodeCbor(bytes), value);
      assert.equal(toHex(encodeCbor(value)), toHex(bytes));
    }
  }
});

test('numbers: whole within ±(2^53-1) are integers, minus zero is zero, others the shortest float', () => {
  assert.equal(toHex(encodeCbor(-0)), '00');
  assert.equal(toHex(encodeCbor(2.0)), '02');
  assert.equal(toHex(encodeCbor(Number.MAX_SAFE_INTEGER)), '1b001fffffffffffff');
  assert.equal(toHex(encodeCbor(Number.MIN_SAFE_INTEGER)), '3b001ffffffffffffe');
  assert.equal(toHex(encodeCbor(2 ** 53)), 'fa5a000000');
  assert.equal(decodeCbor(encodeCbor(2 ** 53)), 2 ** 53);
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
    assert.throws(
      () => encodeCbor([value]),
      (error) => isArtifactstoreError(error, 'invalid_value'),
    );
});

test('what is no JSON value is a fault of the caller', () => {
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
    { raw: new Uint8Array(1) },
  ];
  for (const value of notJson) assert.throws(() => encodeCbor(value), TypeError);
});

test('a lone surrogate has no form, as a value or as a key', () => {
  for (const text of ['\ud800', 'a\udc00', '\udc00\ud800', `${'x'.repeat(100)}\ud800`]) {
    assert.throws(
      () => encodeCbor(text),
      (error) => isArtifactstoreError(error, 'invalid_value'),
    );
    assert.throws(
      () => encodeCbor({ [text]: 1 }),
      (error) => isArtifactstoreError(error, 'invalid_value'),
    );
  }
});

test('strings of every length around the head and the buffer', () => {
  for (const unit of ['a', '\u00e9', '\u{1f600}'])
    for (const length of [
      0, 1, 5, 6, 11, 12, 22, 23, 24, 25, 39, 40, 63, 64, 79, 80, 81, 127, 128, 255, 256, 16_380, 16_384, 65_535, 65_536, 100_000,
    ]) {
      const text = unit.repeat(length);
      const bytes = encodeCbor({ [text]: text });
      assert.equal(toHex(bytes), toHex(encode({ [text]: text }, { cde: true })));
      assert.deepEqual(decodeCbor(bytes), { [text]: text });
    }
});

test('a byte order mark is part of its string', () => {
  for (const text of ['\ufeff', '\ufeffa', 'a\ufeff']) assert.deepEqual(decodeCbor(encodeCbor({ [text]: text })), { [text]: text });
});

test('a key that was seen before vouches for no other bytes', () => {
  for (let first = 0x41; first <= 0x7a; first++)
    for (let second = 0xc0; second <= 0xff; second++) {
      const key = String.fromCharCode(first, second);
      assert.deepEqual(decodeCbor(encodeCbor({ [key]: 1 })), { [key]: 1 });
      assert.throws(() => decodeCbor(Uint8Array.of(0xa1, 0x62, first, second, 0x01)), refused, 'Latin-1 is not UTF-8');
    }
});

test('nesting is limited alike in both directions', () => {
  const nested = (depth: number): JsonValue => (depth === 0 ? 1 : depth % 2 === 0 ? [nested(depth - 1)] : { a: nested(depth - 1) });
  assert.deepEqual(decodeCbor(encodeCbor(nested(maximumCborDepth))), nested(maximumCborDepth));
  assert.throws(
    () => encodeCbor(nested(maximumCborDepth + 1)),
    (error) => isArtifactstoreError(error, 'invalid_value'),
  );
  const deeper = (depth: number): Uint8Array => Uint8Array.from([...new Array<number>(depth).fill(0x81), 0x01]);
  assert.ok(decodeCbor(deeper(maximumCborDepth)));
  for (const depth of [maximumCborDepth + 1, 1_000_000]) assert.throws(() => decodeCbor(deeper(depth)), refused);
});

test('__proto__ is a key like any other', () => {
  const value = JSON.parse('{"a":1,"__proto__":{"polluted":true}}') as JsonValue;
  const decoded = decodeCbor(encodeCbor(value)) as { polluted?: boolean };
  assert.equal(decoded.polluted, undefined);
  assert.deepEqual(Object.keys(decoded), ['a', '__proto__']);
  assert.equal(Object.getPrototypeOf(decoded), Object.prototype);
});

test('what is already encoded is copied as it stands', () => {
  fc.assert(
    fc.property(jsonValues, (value) => {
      const pieces = [encodeCborSequence([value, value]), encodeCborSequence([value])];
      const raw = spentCborArray(3, pieces);
      assert.deepEqual(encodeCbor({ items: [1, raw], n: 1 }), encodeCbor({ items: [1, [value, value, value]], n: 1 }));
      assert.deepEqual(
        pieces.map(({ length }) => length),
        [0, 0],
      );
      assert.throws(() => encodeCbor({ items: raw }), TypeError, 'encoded twice');
    }),
  );
});

test('long members that are already encoded are copied into one buffer of their length', () => {
  const long = 'x'.repeat(1_000_000);
  const members = () => ({
    files: spentCborArray(2, [encodeCborSequence([long]), encodeCborSequence([long])]),
    n: 1,
    storage_receipts: spentCborArray(1, [encodeCborSequence([long])]),
  });
  const encoded = encodeCbor(members());
  assert.deepEqual(decodeCbor(encoded), { files: [long, long], n: 1, storage_receipts: [long] });
  assert.ok(encoded.buffer.byteLength < 3_600_000, `${encoded.buffer.byteLength} bytes`);
});

test('a getter that encodes does not disturb the encoding around it', () => {
  const value = {
    a: 'before',
    get b(): string {
      return toHex(encodeCbor({ inner: 'x'.repeat(50) }));
    },
    c: 'after',
  };
  assert.equal(toHex(encodeCbor(value)), toHex(encodeCbor({ ...value })));
});

test('a failed encoding leaves nothing in the next', () => {
  assert.throws(() => encodeCbor(['x'.repeat(50_000), undefined]), TypeError);
  assert.equal(toHex(encodeCbor([1])), '8101');
});

/** The decoder's promise: it throws, or the encoder makes these very bytes again. */
function takesOnlyItsOwn(bytes: Uint8Array): boolean {
  let value: JsonValue;
  try {
    value = decodeCbor(bytes);
  } catch (error) {
    if (!refused(error)) throw error;
    return false;
  }
  assert.equal(toHex(encodeCbor(value)), toHex(bytes));
  return true;
}

test('all inputs of one byte and of two', () => {
  let taken = 0;
  for (let first = 0; first < 256; first++) {
    if (takesOnlyItsOwn(Uint8Array.of(first))) taken++;
    for (let second = 0; second < 256; second++) if (takesOnlyItsOwn(Uint8Array.of(first, second))) taken++;
  }
  // One: 24 + 24 integers, the empty string, array and map, and 3 simple values. Two: 232 + 232 integers, 128 letters,
  // and 54 arrays of one.
  assert.equal(taken, 54 + 646);
});

test('random bytes: refused, or canonical', () => {
  const likely = fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0x00, 0x18, 0x60, 0x61, 0x62, 0x78, 0x80, 0x81, 0x82, 0x98, 0xa0, 0xa1, 0xa2, 0xf4, 0xf6, 0xf9, 0xfa, 0xfb),
  );
  fc.assert(
    fc.property(fc.array(likely, { maxLength: 40 }), (bytes) => {
      takesOnlyItsOwn(Uint8Array.from(bytes));
    }),
    { numRuns: 5000 },
  );
});

test('mutated encodings: refused, or canonical', () => {
  const mutation = fc.record({
    at: fc.nat(),
    kind: fc.constantFrom('flip', 'set', 'insert', 'remove', 'cut', 'repeat'),
    byte: fc.integer({ min: 0, max: 255 }),
  });
  fc.assert(
    fc.property(jsonValues, fc.array(mutation, { minLength: 1, maxLength: 3 }), (value, mutations) => {
      const bytes = [...encodeCbor(value)];
      for (const { at, kind, byte } of mutations) {
        const place = at % (bytes.length + 1);
        if (kind === 'flip' && place < bytes.length) bytes[place]! ^= 1 << (byte & 7);
        else if (kind === 'set' && place < bytes.length) bytes[place] = byte;
        else if (kind === 'insert') bytes.splice(place, 0, byte);
        else if (kind === 'remove') bytes.splice(place, 1);
        else if (kind === 'cut') bytes.length = place;
        else bytes.splice(place, 0, ...bytes.slice(place, place + (byte & 15)));
      }
      takesOnlyItsOwn(Uint8Array.from(bytes));
    }),
    { numRuns: 3000 },
  );
});

test('a view into a larger buffer is decoded within its bounds', () => {
  const bytes = encodeCbor({ a: ['é', 1.5] });
  const larger = new Uint8Array(bytes.length + 20).fill(0x61);
  larger.set(bytes, 7);
  assert.deepEqual(decodeCbor(larger.subarray(7, 7 + bytes.length)), { a: ['é', 1.5] });
  assert.throws(() => decodeCbor(larger.subarray(7, 6 + bytes.length)), refused);
});

test('takes no more values than its reader says', () => {
  const bytes = encodeCbor({ a: [1, 2, 3] });
  assert.deepEqual(decodeCbor(bytes, 5), { a: [1, 2, 3] });
  assert.throws(() => decodeCbor(bytes, 4), /more values than there may be/);
  // A byte each, and dozens in memory.
  assert.throws(() => decodeCbor(Buffer.from([0x9a, 0, 1, 0, 0, ...new Uint8Array(65_536)]), 1000), /more values than there may be/);
});

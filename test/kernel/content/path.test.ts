import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  comparePaths,
  isRelativePath,
  maximumPathBytes,
  parseRelativePath,
  pathFromUrl,
  pathPattern,
  pathToUrl,
  segmentPattern,
} from '../../../src/kernel/content/path.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';

const text = fc.string({ unit: 'binary' });
const segment = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 30 })
  .filter((name) => name !== '.' && name !== '..' && !/[/\\]|\p{Cc}/u.test(name));
const path = fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join('/'));

function refuses(reason: RegExp): (error: unknown) => boolean {
  return (error) => isArtifactstoreError(error, 'invalid_path') && error.field === 'relative_path' && reason.test(error.message);
}

test('a legal path is taken as it is', () => {
  fc.assert(fc.property(path, (given) => assert.equal(parseRelativePath(given), given)));
  for (const given of [
    'a',
    '.hidden',
    '...',
    'a/..b/c.',
    ' ',
    'a b',
    '%2F',
    'é',
    'e\u0301',
    'con',
    'a:b',
    '\u{1f600}',
    '\ufeff',
    '~',
    '\u2028',
  ])
    assert.equal(parseRelativePath(given), given);
});

const illegal: readonly (readonly [string, RegExp])[] = [
  ['', /empty/],
  ['/', /starts with a slash/],
  ['/a', /starts with a slash/],
  ['a/', /empty segment/],
  ['a//b', /empty segment/],
  ['.', /segment "\."/],
  ['./a', /segment "\."/],
  ['a/./b', /segment "\."/],
  ['..', /segment "\.\."/],
  ['a/..', /segment "\.\."/],
  ['../a', /segment "\.\."/],
  ['a\\b', /backslash/],
  ['a\0', /U\+0000/],
  ['a\nb', /U\+000A/],
  ['\x1f', /U\+001F/],
  ['a\x7f', /U\+007F/],
  ['\x80', /U\+0080/],
  ['\x9f', /U\+009F/],
  ['\ud800', /surrogate/],
  ['a\udc00b', /surrogate/],
  ['\udc00\ud800', /surrogate/],
];
for (const [given, reason] of illegal) {
  test(`refused: ${JSON.stringify(given)}`, () => {
    assert.throws(() => parseRelativePath(given, 'relative_path'), refuses(reason));
  });
}

test('the limit is 1,024 bytes of UTF-8, not characters', () => {
  for (const [unit, bytes] of [
    ['a', 1],
    ['é', 2],
    ['€', 3],
    ['\u{1f600}', 4],
  ] as const) {
    const over = unit.repeat(Math.floor(maximumPathBytes / bytes)) + 'a'.repeat((maximumPathBytes % bytes) + 1);
    assert.equal(Buffer.byteLength(over), maximumPathBytes + 1);
    assert.throws(() => parseRelativePath(over, 'relative_path'), refuses(/1025 bytes/));
    assert.equal(parseRelativePath(over.slice(0, -1)), over.slice(0, -1));
  }
});

test('the order of paths is the bytewise order of their UTF-8', () => {
  const close = fc.string({
    unit: fc.constantFrom('a', 'b', '/', '\u00e9', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{1f600}', '\u{10ffff}'),
  });
  const any = fc.oneof(text, close);
  fc.assert(
    fc.property(any, any, (left, right) => {
      assert.equal(Math.sign(comparePaths(left, right)), Buffer.compare(Buffer.from(left), Buffer.from(right)));
    }),
    { numRuns: 2000 },
  );
  assert.ok(comparePaths('\u{10000}', '\uffff') > 0, 'where UTF-16 order would be wrong');
});

test('a path goes through a URL and back', () => {
  fc.assert(
    fc.property(path, (given) => {
      const url = pathToUrl(parseRelativePath(given));
      assert.match(url, /^[!-~]+$/);
      assert.equal(pathFromUrl(url), given);
      assert.equal(new URL(`http://host/${url}`).pathname, `/${url}`, 'and a URL parser leaves it alone');
    }),
  );
});

test('each segment of a URL is decoded once', () => {
  assert.equal(pathFromUrl('a%20b/c%252F/%c3%A9'), 'a b/c%2F/é');
  assert.equal(pathFromUrl("a+b/c&d=e;f,g:h@i!$'()*"), "a+b/c&d=e;f,g:h@i!$'()*");
});

const illegalUrls: readonly (readonly [string, RegExp])[] = [
  ['a%2Fb', /encoded slash/],
  ['a%2fb', /encoded slash/],
  ['%2e%2e/a', /segment "\.\."/],
  ['a/%2E', /segment "\."/],
  ['%5Ca', /backslash/],
  ['a%00', /U\+0000/],
  ['%', /percent escape/],
  ['a%2', /percent escape/],
  ['%zz', /percent escape/],
  ['%ff', /percent escape/],
  ['%c0%af', /percent escape/],
  ['%ed%a0%80', /percent escape/],
  ['a//b', /empty segment/],
  ['', /empty/],
  ['a?b', /percent-encoded/],
  ['a#b', /percent-encoded/],
  ['a b', /percent-encoded/],
  ['é', /percent-encoded/],
];
for (const [raw, reason] of illegalUrls) {
  test(`refused in a URL: ${JSON.stringify(raw)}`, () => {
    assert.throws(() => pathFromUrl(raw, 'relative_path'), refuses(reason));
  });
}

test('whatever a URL says, the path it gives is legal', () => {
  const raw = fc.string({ unit: fc.constantFrom('a', '.', '/', '%', '2', 'F', 'f', 'e', '5', 'C', '0', 'c3', '%a9') });
  fc.assert(
    fc.property(raw, (given) => {
      let read: string;
      try {
        read = pathFromUrl(given);
      } catch (error) {
        assert.ok(isArtifactstoreError(error, 'invalid_path'));
        return;
      }
      assert.equal(parseRelativePath(read), read);
      assert.equal(read.split('/').length, given.split('/').length);
    }),
    { numRuns: 2000 },
  );
});

test('the pattern says the same as the parser', () => {
  const [whole, one] = [new RegExp(pathPattern, 'u'), new RegExp(segmentPattern, 'u')];
  const unit = fc.constantFrom('.', '..', '/', 'a', '\\', '\n', '\u0085', 'é', '💡', '');
  fc.assert(
    fc.property(
      fc.oneof(
        path,
        fc.array(unit, { maxLength: 6 }).map((units) => units.join('')),
      ),
      (given) => {
        assert.equal(whole.test(given), isRelativePath(given), JSON.stringify(given));
        assert.equal(one.test(given), isRelativePath(given) && !given.includes('/'), JSON.stringify(given));
      },
    ),
  );
});

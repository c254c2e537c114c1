import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { formatTimestamp, parseTimestamp, readTimestamp } from '../../src/kernel/time.ts';

const earliest = Date.parse('0000-01-01T00:00:00.000Z');
const latest = Date.parse('9999-12-31T23:59:59.999Z');
const milliseconds = fc.integer({ min: earliest, max: latest });

function invalid(error: unknown): boolean {
  return isArtifactstoreError(error, 'invalid_value');
}

test('a time goes through its text and back, and text sorts by time', () => {
  fc.assert(
    fc.property(milliseconds, milliseconds, (a, b) => {
      assert.match(formatTimestamp(a), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.equal(parseTimestamp(formatTimestamp(a)), a);
      assert.equal(readTimestamp(formatTimestamp(a)), formatTimestamp(a));
      assert.equal(formatTimestamp(a) < formatTimestamp(b), a < b);
    }),
  );
});

test('times beyond the years 0000 to 9999 have no form', () => {
  for (const time of [latest + 1, earliest - 1, Number.NaN, Number.POSITIVE_INFINITY, 0.5])
    assert.throws(() => formatTimestamp(time), invalid);
  assert.equal(formatTimestamp(latest), '9999-12-31T23:59:59.999Z');
  assert.equal(formatTimestamp(earliest), '0000-01-01T00:00:00.000Z');
});

test('only the canonical form is parsed', () => {
  const refused = [
    '',
    '2026-01-31',
    '2026-01-31T00:00:00Z',
    '2026-01-31T00:00:00.00Z',
    '2026-01-31T00:00:00.0000Z',
    '2026-01-31T00:00:00.000',
    '2026-01-31T00:00:00.000z',
    '2026-01-31t00:00:00.000Z',
    '2026-01-31 00:00:00.000Z',
    '2026-01-31T00:00:00.000+00:00',
    '2026-02-29T00:00:00.000Z',
    '2026-04-31T00:00:00.000Z',
    '2026-13-01T00:00:00.000Z',
    '2026-00-01T00:00:00.000Z',
    '2026-01-00T00:00:00.000Z',
    '2026-01-31T24:00:00.000Z',
    '2026-01-31T23:60:00.000Z',
    '2026-12-31T23:59:60.000Z',
    '+002026-01-31T00:00:00.000Z',
    '2026-01-31T00:00:00.000Z\n',
  ];
  for (const text of refused) assert.throws(() => parseTimestamp(text), invalid, text);
  assert.equal(parseTimestamp('2024-02-29T00:00:00.000Z'), Date.UTC(2024, 1, 29));
});

test('any RFC 3339 date-time that exists is read, cut to the millisecond', () => {
  const read: Readonly<Record<string, string>> = {
    '1985-04-12T23:20:50.52Z': '1985-04-12T23:20:50.520Z',
    '1996-12-19T16:39:57-08:00': '1996-12-20T00:39:57.000Z',
    '1937-01-01T12:00:27.87+00:20': '1937-01-01T11:40:27.870Z',
    '2026-01-31t10:00:00z': '2026-01-31T10:00:00.000Z',
    '2026-01-31T10:00:00-00:00': '2026-01-31T10:00:00.000Z',
    '2026-01-31T10:00:00.9999999Z': '2026-01-31T10:00:00.999Z',
    '2024-02-29T00:00:00+23:59': '2024-02-28T00:01:00.000Z',
  };
  for (const [text, timestamp] of Object.entries(read)) assert.equal(readTimestamp(text), timestamp);
});

test('what is no RFC 3339 date-time, or no date, is refused with its field', () => {
  const refused = [
    '',
    'tomorrow',
    '2026-01-31',
    '2026-01-31T10:00:00',
    '2026-01-31T10:00Z',
    '2026-01-31 10:00:00Z',
    '2026-01-31T10:00:00.Z',
    '2026-01-31T10:00:00,5Z',
    '2026-01-31T10:00:00+0100',
    '2026-01-31T10:00:00+24:00',
    '2026-01-31T10:00:00+01:60',
    '2026-02-30T10:00:00Z',
    '2023-02-29T10:00:00Z',
    '1990-12-31T23:59:60Z',
    '2026-01-31T24:00:00Z',
    '0000-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
    '26-01-31T10:00:00Z',
    '2026-01-31T10:00:00Z ',
  ];
  for (const text of refused)
    assert.throws(
      () => readTimestamp(text, '/new_expires_at'),
      (error) => isArtifactstoreError(error, 'invalid_value') && error.field === '/new_expires_at',
      text,
    );
});

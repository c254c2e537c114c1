import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesIn } from '../../console/api/addresses.ts';
import { formatBytes, formatExactBytes, formatRelative, shellWord, shortAddress } from '../../console/format.ts';

test('sizes are told in the largest unit that leaves a whole number before the point', () => {
  for (const [bytes, text] of [
    [0, '0 bytes'],
    [1, '1 byte'],
    [1023, '1,023 bytes'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [102_400, '100 KiB'],
    [1_048_575, '1.0 MiB'],
    [5 * 1024 ** 4, '5.0 TiB'],
  ] as const)
    assert.equal(formatBytes(bytes), text);
  assert.deepEqual([1, 1023, 1_468_006].map(formatExactBytes), ['1 byte', '1,023 bytes', '1,468,006 bytes']);
});

test('times are told as people speak of them', () => {
  const now = Date.UTC(2026, 10, 30);
  const after = (seconds: number): string => formatRelative(now + seconds * 1_000, now);
  assert.deepEqual([-3, 20, 45, -90, -7_200, 90_000, -86_400 * 20, 86_400 * 400].map(after), [
    'just now',
    'just now',
    'in 1 minute',
    '1 minute ago',
    '2 hours ago',
    'tomorrow',
    '2 weeks ago',
    'next year',
  ]);
});

test('a long address is shortened in its middle, a short text is not', () => {
  assert.equal(shortAddress(`sha256:${'0123456789abcdef'.repeat(4)}`), 'sha256:01234567…cdef');
  assert.equal(shortAddress('0123456789abcdef'.repeat(4)), '01234567…cdef');
  assert.equal(shortAddress('short'), 'short');
});

test('an argument means the same to a shell', () => {
  assert.equal(shellWord('raw-evidence'), 'raw-evidence');
  assert.equal(shellWord("it's $HOME"), "'it'\\''s $HOME'");
  assert.equal(shellWord(''), "''");
  assert.equal(shellWord('`id`'), "'`id`'");
});

test('a digest is known in each form in which it is pasted', () => {
  const hex = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
  const base64 = 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=';
  assert.deepEqual(addressesIn(hex), [`sha256:${hex}`, `blake3:${hex}`]);
  assert.deepEqual(addressesIn(`${hex}  report.pdf`), [`sha256:${hex}`, `blake3:${hex}`]);
  assert.deepEqual(addressesIn(`BLAKE3:${hex.toUpperCase()}`), [`blake3:${hex}`]);
  for (const form of [`"blake3:${hex}"`, `W/"blake3:${hex}"`]) assert.deepEqual(addressesIn(form), [`blake3:${hex}`], form);
  for (const form of [`sha256:${hex}`, `sha256-${hex}`, `sha256-${base64}`, `sha-256=:${base64}:`])
    assert.deepEqual(addressesIn(form), [`sha256:${hex}`], form);
  for (const form of [base64, base64.replace('/', '_').replace('+', '-')])
    assert.deepEqual(addressesIn(form), [`sha256:${hex}`, `blake3:${hex}`], form);
  for (const form of [
    `SHA-256:${hex}`,
    `SHA256 (a (1).txt) = ${hex}`,
    `sha256-${base64.slice(0, -1)}`,
    `sha256-${base64.replace('/', '_')}`,
    `sha256-${base64} sha512-${'A'.repeat(86)}==`,
    `Repr-Digest: sha-256=:${base64}:, sha-512=:${'A'.repeat(86)}==:`,
    `Digest: SHA-256=${base64}`,
    `integrity="sha256-${base64}"`,
  ])
    assert.deepEqual(addressesIn(form), [`sha256:${hex}`], form);
  for (const form of [`"${hex}"`, `'${hex}'`, `\\${hex}  a\\nb`])
    assert.deepEqual(addressesIn(form), [`sha256:${hex}`, `blake3:${hex}`], form);
  for (const form of [`etag: "blake3:${hex}"`, `ETag: W/"blake3:${hex}"`, `BLAKE3 (a) = ${hex}`])
    assert.deepEqual(addressesIn(form), [`blake3:${hex}`], form);
  assert.deepEqual(addressesIn(`sha256-${base64} sha256-${'A'.repeat(43)}=`), [`sha256:${hex}`, `sha256:${'0'.repeat(64)}`]);
  for (const other of [
    '',
    'report.pdf',
    base64.slice(0, -1),
    `sha256-${base64} other`,
    `sha512-${'A'.repeat(86)}==`,
    hex.slice(1),
    `md5:${hex}`,
    `${hex}0`,
    `"blake3:${hex}`,
  ])
    assert.deepEqual(addressesIn(other), [], other);
});

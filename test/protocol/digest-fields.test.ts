import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatDigestField, parseContentMd5, parseDigestField, parseLegacyDigest } from '../../src/protocol/digest-fields.ts';

const sha256 = createHash('sha256').update('hello').digest();
const sha512 = createHash('sha512').update('hello').digest();

test('reads the algorithms that it knows and passes over the others', () => {
  const digests = parseDigestField(
    `sha-256=:${sha256.toString('base64')}:, md5=:AAAA:, sha-512=:${sha512.toString('base64')}:, constructor=:AA==:`,
  );
  assert.deepEqual([...digests!.keys()], ['sha256', 'sha512']);
  assert.deepEqual(Buffer.from(digests!.get('sha256')!), sha256);
  assert.deepEqual(Buffer.from(digests!.get('sha512')!), sha512);
  assert.equal(parseDigestField('md5=:AAAA:')!.size, 0);
  assert.equal(parseDigestField('')!.size, 0);
});

test('refuses what is malformed or too short', () => {
  for (const value of [
    'sha-256',
    'sha-256=abc',
    'sha-256=:AAAA:',
    `sha-256="${sha256.toString('base64')}"`,
    'sha-256=:!!!!:',
    'sha-256=:',
    '=',
    ',',
    'SHA-256=:AA==:',
    'sha-256=(:AA==:)',
  ])
    assert.equal(parseDigestField(value), undefined, value);
});

test('what it writes it reads', () => {
  const hex = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));
  fc.assert(
    fc.property(hex, hex, (one, other) => {
      const digests = parseDigestField(formatDigestField({ sha256: one, blake3: other }));
      assert.equal(Buffer.from(digests!.get('sha256')!).toString('hex'), one);
      assert.equal(Buffer.from(digests!.get('blake3')!).toString('hex'), other);
    }),
  );
});

test('no text makes it throw', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseDigestField(text)));
});

test('the older fields', () => {
  const md5 = Buffer.alloc(16, 7);
  assert.deepEqual(parseContentMd5(` ${md5.toString('base64')} `), new Map([['md5', new Uint8Array(md5)]]));
  for (const value of ['', 'x', Buffer.alloc(15).toString('base64'), `${md5.toString('base64')}=`])
    assert.equal(parseContentMd5(value), undefined);
  const sha = Buffer.alloc(32, 9);
  assert.deepEqual(
    parseLegacyDigest(`SHA-256=${sha.toString('base64')},crc32c=AAAAAA==, md5=${md5.toString('base64')}`),
    new Map([
      ['sha256', new Uint8Array(sha)],
      ['md5', new Uint8Array(md5)],
    ]),
  );
  for (const value of ['', 'sha-256', 'sha-256=AAAA', `md5=${md5.toString('base64')},md5=${md5.toString('base64')}`])
    assert.equal(parseLegacyDigest(value), undefined);
});

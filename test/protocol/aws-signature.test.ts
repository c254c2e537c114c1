import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256, signInHeader, signInQuery } from '../../src/protocol/aws-signature.ts';

/** The examples of "Authenticating Requests (AWS Signature Version 4)" in the S3 API reference. */
const example = {
  path: '/test.txt',
  date: new Date('2013-05-24T00:00:00Z'),
  region: 'us-east-1',
  keys: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
} as const;
const host = 'examplebucket.s3.amazonaws.com';

test('a read of a range is signed as the S3 API reference shows', () => {
  const { headers } = signInHeader({ ...example, method: 'GET', query: {}, headers: { host, range: 'bytes=0-9' }, payload: sha256('') });
  assert.equal(
    headers.authorization,
    'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  );
});

test('a list is signed as the S3 API reference shows', () => {
  const { headers, query } = signInHeader({
    ...example,
    path: '/',
    method: 'GET',
    query: { prefix: 'J', 'max-keys': '2' },
    headers: { host },
    payload: sha256(''),
  });
  assert.equal(query, 'max-keys=2&prefix=J');
  assert.match(headers.authorization ?? '', /Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7$/);
});

test('an address is signed as the S3 API reference shows', () => {
  const { query } = signInQuery({ ...example, method: 'GET', query: {}, headers: { host }, payload: 'UNSIGNED-PAYLOAD' }, 86_400);
  assert.match(query, /X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404$/);
});

test('a name comes before a longer one that begins with it', () => {
  const { query } = signInHeader({
    ...example,
    method: 'PUT',
    query: { 'key-type': 's3', key: '' },
    headers: { host },
    payload: sha256(''),
  });
  assert.equal(query, 'key=&key-type=s3');
});

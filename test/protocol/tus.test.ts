import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUploadChecksum, parseUploadConcat, parseUploadMetadata } from '../../src/protocol/tus.ts';

test('metadata are pairs of a key and base64, whose value may be absent', () => {
  const read = parseUploadMetadata('filename d29ybGQ=, is_confidential,empty ');
  assert.ok('values' in read);
  assert.deepEqual(
    [...read.values].map(([key, value]) => [key, Buffer.from(value).toString()]),
    [
      ['filename', 'world'],
      ['is_confidential', ''],
      ['empty', ''],
    ],
  );
  assert.deepEqual(parseUploadMetadata(' '), { values: new Map() });
});

test('metadata that are none', () => {
  for (const [field, fault] of [
    ['a b%', 'not base64'],
    ['a YQ', 'not base64'],
    ['a YQ=', 'not base64'],
    ['a Y-_=', 'not base64'],
    ['a YQ==YQ==', 'not base64'],
    ['a YQ==,a YQ==', 'twice'],
    ['a YQ== YQ==', 'pair 1'],
    ['a YQ==,', 'pair 2'],
    [',', 'pair 1'],
    ['\u00fc YQ==', 'pair 1'],
    ['a\tb YQ==', 'pair 1'],
  ] as const) {
    const read = parseUploadMetadata(field);
    assert.ok('fault' in read && read.fault.includes(fault), field);
  }
});

test('a checksum is an algorithm and base64', () => {
  assert.deepEqual(parseUploadChecksum('sha1 YQ=='), { algorithm: 'sha1', digest: Buffer.from('a') });
  for (const field of ['', 'sha1', 'sha1 ', 'sha1 %', 'YQ==', 'sha1 YQ== x', 'SHA1 YQ=='])
    assert.equal(parseUploadChecksum(field), undefined);
});

test('a part, or the parts of a whole', () => {
  assert.deepEqual(parseUploadConcat('partial'), { kind: 'partial' });
  assert.deepEqual(parseUploadConcat('final;/a  http://b/c'), { kind: 'final', parts: ['/a', 'http://b/c'] });
  for (const field of ['', 'final', 'final;', 'final; ', 'Partial', 'partial;/a']) assert.equal(parseUploadConcat(field), undefined);
});

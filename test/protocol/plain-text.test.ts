import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainText } from '../../src/protocol/plain-text.ts';

test('text in UTF-8 is text, a byte order mark and all; another encoding and binary data are named', () => {
  assert.deepEqual(plainText(Buffer.from('\ufeffä\r\n')), { text: '\ufeffä\r\n' });
  assert.deepEqual(plainText(new Uint8Array()), { text: '' });
  const problemOf = (bytes: Uint8Array): string => (plainText(bytes) as { readonly problem: string }).problem;
  assert.match(problemOf(Buffer.from('\ufeffA=1\n', 'utf16le')), /UTF-16: save it as UTF-8/);
  assert.match(problemOf(Buffer.from([0xfe, 0xff, 0, 0x41])), /UTF-16/);
  assert.equal(problemOf(Buffer.from('A=ä\n', 'latin1')), 'it is no text in UTF-8');
  assert.equal(problemOf(Buffer.from('A=\0')), 'it is no text in UTF-8');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metadataOptions, readMetadata } from '../../console/parts/acts/metadata-lines.ts';

const line = (key: string, value = '') => ({ key, value });

test('values are read as push reads them', () => {
  assert.deepEqual(readMetadata([line('a', '42'), line('b', 'true'), line('c', 'main'), line('d', '"42"'), line(''), line('e')]), {
    metadata: { a: 42, b: true, c: 'main', d: '42', e: '' },
  });
  assert.deepEqual(readMetadata([line('a', '12345678901234567890'), line('b', '{"x":1,"x":2}')]), {
    metadata: { a: '12345678901234567890', b: '{"x":1,"x":2}' },
  });
  const own = readMetadata([line('__proto__', '1')]);
  assert.deepEqual('metadata' in own ? Object.keys(own.metadata) : own, ['__proto__']);
});

test('what cannot be meant is told by its line', () => {
  assert.deepEqual(readMetadata([line('a', '1'), line('', '2')]), { wrong: 'no-key', line: 1 });
  assert.deepEqual(readMetadata([line('a', '1'), line('b'), line('a', '2')]), { wrong: 'key-twice', line: 2 });
});

test('the command has the same lines', () => {
  assert.deepEqual(metadataOptions([line('a', '1'), line('')]), ['--metadata', 'a=1']);
});

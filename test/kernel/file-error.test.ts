import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ArtifactstoreError } from '../../src/kernel/error.ts';
import { errnoCode, fileError } from '../../src/kernel/file-error.ts';

const systemError = (code: string) => Object.assign(new Error(`${code}: no`), { code, errno: -1, syscall: 'write' });

test('no room is told apart from a store that cannot be used', () => {
  for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG']) assert.deepEqual(pick(fileError(systemError(code), '/data')), ['storage_full', true]);
  for (const code of ['EIO', 'EROFS', 'EACCES', 'ENOENT'])
    assert.deepEqual(pick(fileError(systemError(code), '/data')), ['storage_unavailable', true]);
});

test('what the system itself throws is recognised', () => {
  assert.throws(
    () => readFileSync('/no/such/file'),
    (error) => errnoCode(error) === 'ENOENT',
  );
});

test('errors of others are given back as they are', () => {
  for (const error of [
    new Error('mine'),
    new ArtifactstoreError('internal', 'x'),
    'text',
    Object.assign(new Error('x'), { code: 'ERR_X' }),
  ]) {
    assert.equal(errnoCode(error), undefined);
    assert.equal(fileError(error, '/data'), error);
  }
});

function pick(error: unknown): [string, boolean] {
  assert.ok(error instanceof ArtifactstoreError);
  return [error.code, error.message.includes('/data')];
}

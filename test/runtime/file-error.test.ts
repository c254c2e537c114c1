import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ArtifactstoreError } from '../../src/kernel/error.ts';
import { errnoCode, fileError, fileReason, localFileError } from '../../src/runtime/file-error.ts';

const systemError = (code: string) => Object.assign(new Error(`${code}: no`), { code, errno: -1, syscall: 'write' });

test('no room is told apart from a store that cannot be used', () => {
  for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG']) assert.deepEqual(pick(fileError(systemError(code), '/data')), ['storage_full', true]);
  for (const code of ['EIO', 'EROFS', 'EACCES', 'ENOENT'])
    assert.deepEqual(pick(fileError(systemError(code), '/data')), ['storage_unavailable', true]);
});

test('a file of a person is named in a sentence, under a code that says whether another path would help', () => {
  const said = (code: string) => {
    const error = localFileError(systemError(code), '/home/x', 'read');
    assert.ok(error instanceof ArtifactstoreError);
    return [error.code, error.message, error.info?.hint];
  };
  assert.deepEqual(said('ENOENT'), ['invalid_path', `"/home/x" can't be read: it is not there (ENOENT).`, undefined]);
  assert.equal(said('ENOSPC')[0], 'storage_full');
  assert.match(
    String(said('EMFILE')),
    /^local_file_failed,This process has too many files open \(EMFILE\): "\/home\/x" could not be read\.,.*--jobs.*`ulimit -n`/,
  );
  assert.match(String(said('EIO')), /^local_file_failed,.*the disk reports an error \(EIO\)\.,.*may be broken$/);
  for (const path of ['/proc/self/mem', '/sys/x']) {
    const error = localFileError(systemError('EIO'), path, 'read');
    assert.ok(error instanceof ArtifactstoreError);
    assert.match(error.message, /can't be read: it is no file but a part of the running system, .*\(EIO\)\.$/);
    assert.deepEqual([error.code, error.info], ['invalid_path', { cause: 'EIO' }]);
  }
  assert.equal(fileReason(systemError('EWEIRD')), 'the system says EWEIRD');
  assert.equal(localFileError(new TypeError('a bug'), '/x', 'read') instanceof TypeError, true);
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

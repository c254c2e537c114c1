import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArtifactstoreError, errorCodes, fromErrorRecord, isArtifactstoreError, toErrorRecord } from '../../src/kernel/error.ts';

test('an error keeps what it says when it crosses a thread', () => {
  const cause = new Error('the disk');
  const error = new ArtifactstoreError('path_conflict', 'Other bytes.', { field: 'relative_path', info: { at: 'a/b' }, cause });
  const back = fromErrorRecord(structuredClone(toErrorRecord(error)));
  assert.equal(isArtifactstoreError(back, 'path_conflict'), true);
  assert.equal(isArtifactstoreError(back, 'internal'), false);
  assert.deepEqual([back.message, back.field, back.info], ['Other bytes.', 'relative_path', { at: 'a/b' }]);
  assert.equal(back.cause, undefined);
  assert.equal(error.cause, cause);
});

test('what was not said stays absent', () => {
  const record = toErrorRecord(new ArtifactstoreError('internal', 'No.'));
  assert.deepEqual(Object.keys(record), ['code', 'message']);
  assert.ok(!('cause' in new ArtifactstoreError('internal', 'No.')));
});

test('codes are told apart from anything else', () => {
  assert.equal(new Set(errorCodes).size, errorCodes.length);
  for (const code of errorCodes) assert.match(code, /^[a-z]+(_[a-z]+)*$/);
  for (const other of [new Error('internal'), { code: 'internal' }, undefined, null, 'internal']) assert.ok(!isArtifactstoreError(other));
});

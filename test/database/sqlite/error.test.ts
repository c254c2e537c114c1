import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { storageFault } from '../../../src/database/sqlite/error.ts';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';

const directory = mkdtempSync(join(tmpdir(), 'artifactstore-sqlite-error-'));
after(() => rmSync(directory, { recursive: true }));
const path = join(directory, 'a.db');
writeFileSync(path, '');

/** As `node:sqlite` throws it: the extended result code, and SQLite's words. */
const raised = (errcode: number, message: string): Error => Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode });

test('no room for the database or for the index beside it is a full disk', () => {
  for (const error of [raised(13, 'database or disk is full'), raised(4874, 'disk I/O error')]) {
    const fault = storageFault(error, path);
    assert.ok(isArtifactstoreError(fault, 'storage_full'), String(fault));
    assert.match(fault.message, /^The disk that holds the database .*a\.db is full/);
  }
});

test('what the disk does not do is said in the words of SQLite, and of a file in those of the system', () => {
  const fault = storageFault(raised(266, 'disk I/O error'), path);
  assert.ok(isArtifactstoreError(fault, 'database_unavailable'));
  assert.match(fault.message, /the disk does not do what it is asked \(disk I\/O error\)\.$/);
  assert.match(storageFault(raised(14, 'unable to open database file'), directory)!.message, /it is a directory\.$/);
  assert.match(storageFault(raised(14, 'unable to open database file'), join(path, 'x'))!.message, /\(ENOTDIR\)\.$/);
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDurableDirectory, syncDirectory } from '../../src/runtime/durable-directory.ts';

test('a directory is made with what is missing above it, and once', async () => {
  const root = mkdtempSync(join(tmpdir(), 'artifactstore-durable-'));
  try {
    const path = join(root, 'a', 'b');
    assert.equal(await makeDurableDirectory(path, 0o700), true);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    assert.equal(await makeDurableDirectory(path, 0o700), false);
    writeFileSync(join(root, 'file'), '');
    await assert.rejects(makeDurableDirectory(join(root, 'file', 'c'), 0o700), { code: 'ENOTDIR' });
    await assert.rejects(syncDirectory(join(root, 'nowhere')), { code: 'ENOENT' });
  } finally {
    rmSync(root, { recursive: true });
  }
});

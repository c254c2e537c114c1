import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const tool = fileURLToPath(new URL('../../tools/quickstart.ts', import.meta.url));

test('npm start does the main job once and ends by itself without a terminal, even when the port is taken', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-quickstart-'));
  // A port is taken for the time of the test, whoever else uses the default one.
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  assert.ok(address !== null && typeof address === 'object');
  try {
    const env = {
      PATH: process.env.PATH,
      HOME: directory,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      ARTIFACTSTORE_PORT: String(address.port),
    };
    const { stdout } = await promisify(execFile)(process.execPath, [tool], { cwd: directory, env });
    assert.match(stdout, /"file_count":609,"reused_existing":false/);
    assert.match(stdout, /verified 609 files/);
    assert.match(stdout, /npx artifactstore pull [0-9a-f-]{36} \.\/pulled\n$/);
  } finally {
    taken.close();
    rmSync(directory, { recursive: true, force: true });
  }
});

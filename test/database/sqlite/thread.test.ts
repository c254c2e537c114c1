import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

describe("a database's thread", () => {
  it('starts whatever options the program was started with', () => {
    const directory = mkdtempSync(join(tmpdir(), 'artifactstore-'));
    try {
      const program = `
        import { openRegistry } from ${JSON.stringify(new URL('../../../src/index.ts', import.meta.url))};
        await using store = await openRegistry({ directory: process.env.DIRECTORY });
        console.log((await store.as('me').health()).status);`;
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
        encoding: 'utf8',
        env: { ...process.env, DIRECTORY: directory },
      });
      assert.equal(stdout, 'ok\n', stderr);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

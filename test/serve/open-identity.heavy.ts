import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { openServedIdentity } from '../../src/serve/open-identity.ts';

// It takes as long as a server looks at its file: a second, twice for each change.
test('what becomes of a newer version of the access file is in the log, once', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-access-'));
  try {
    const path = join(folder, 'access.toml');
    const lines: { readonly message: unknown; readonly fields: { readonly path?: string; readonly err?: unknown } }[] = [];
    const note = (fields: object, message?: unknown) => void lines.push({ message, fields });
    writeFileSync(path, '# nobody\n');
    await using identity = await openServedIdentity([], path, { info: note, warn: note, error: note });
    const told = async (message: string, count: number): Promise<(typeof lines)[number]> => {
      for (;;) {
        const found = lines.filter((line) => line.message === message);
        if (found.length >= count) return found.at(-1)!;
        await sleep(20);
      }
    };
    writeFileSync(path, 'role = 1\n');
    const { fields } = await told('a new access file is refused; the old one stays in force', 1);
    assert.equal(fields.path, path);
    assert.ok(isArtifactstoreError(fields.err, 'invalid_configuration'));
    assert.match(identity.status()?.refused ?? '', /"role" is not known in an access file/);
    await sleep(2_500);
    assert.equal(lines.length, 2);
    writeFileSync(path, '# nobody yet\n');
    await told('the access file is in force', 2);
    assert.equal(identity.status()?.refused, null);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

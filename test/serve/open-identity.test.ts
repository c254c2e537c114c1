import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { openServedIdentity } from '../../src/serve/open-identity.ts';

test('what becomes of the access file is in the log, and a bad one is not served with', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'artifactstore-access-'));
  try {
    const path = join(folder, 'access.toml');
    const lines: unknown[] = [];
    const note = (fields: unknown, message?: unknown) => void lines.push([message, fields]);
    const log = { info: note, warn: note, error: note };
    writeFileSync(path, '[quotas.acme]\nmaximum_packages = 1\n');
    await using identity = await openServedIdentity([], path, log);
    assert.equal(identity.status()?.path, path);
    assert.deepEqual(lines, [
      ['the access file is in force', { path, loaded_at: identity.status()?.loaded_at }],
      [
        'the access file may not say what it should',
        { path, line: 1, column: 9, reason: 'no grant lets anybody write for "acme": only tokens of the server do' },
      ],
    ]);
    writeFileSync(path, 'role = 1');
    await assert.rejects(openServedIdentity([], path, log), (error) => isArtifactstoreError(error, 'invalid_configuration'));
    writeFileSync(path, '[issuers.ci]\nissuer = "https://id.example.org"\naudience = "a"\nsingle_use = true\n');
    await assert.rejects(
      openServedIdentity([], path, log, 2),
      (error) =>
        isArtifactstoreError(error, 'invalid_configuration') &&
        /line 4, column \d+: single_use needs one process.* has 2/.test(error.message),
    );
    await using alone = await openServedIdentity([], path, log, 1);
    assert.equal(alone.status()?.refused, null);
    await using without = await openServedIdentity([], undefined, log);
    assert.equal(without.status(), undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

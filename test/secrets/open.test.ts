import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { type OpenSecrets, openSecrets } from '../../src/secrets/open.ts';

const options: OpenSecrets = { environment: { KEY: 'hush' }, auth: { method: 'token', tokenRef: 'env:TOKEN' }, namespace: undefined };

test('a store is the one that its configuration describes', async () => {
  const environment = openSecrets({ kind: 'environment' }, options);
  assert.equal((await environment.get('KEY'))?.value.reveal(), 'hush');
  const vault = openSecrets({ kind: 'vault', address: 'http://127.0.0.1:1', mount: 'kv', path: 'one' }, options);
  assert.equal(vault.place, 'http://127.0.0.1:1/kv/one');
  await vault.close();
});

test('a directory is taken for an empty store only where that is said', async () => {
  const path = mkdtempSync(join(tmpdir(), 'secrets-'));
  try {
    const closed = openSecrets({ kind: 'directory', path }, options);
    await assert.rejects(closed.get('key'), (error) => isArtifactstoreError(error, 'secrets_unavailable'));
    assert.equal(await openSecrets({ kind: 'directory', path }, { ...options, mayBeEmpty: true }).get('key'), undefined);
  } finally {
    rmSync(path, { recursive: true });
  }
});

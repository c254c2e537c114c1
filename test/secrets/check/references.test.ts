import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { checkReferences, requireReferences } from '../../../src/secrets/check/references.ts';
import { vaultSecrets } from '../../../src/secrets/vault/vault.ts';
import { startVault } from '../vault/vault-server.ts';

test('what settings refer to is looked at as a whole, and no value is told', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'references-'));
  try {
    const file = (name: string, text: string, mode = 0o600): string => {
      writeFileSync(join(directory, name), text, { mode });
      return `file:${join(directory, name)}`;
    };
    const environment = { GOOD: 'hush-good', EMPTY: ' ', WORDS: 'hush hush', PLACEHOLDER: 'changeme' };
    const good = [
      { setting: 'A', reference: 'env:GOOD' },
      { setting: 'B', reference: file('good', '\uFEFFhush-good\r\n') },
    ];
    const bad = [
      { setting: 'H', reference: 'env:NONE' },
      { setting: 'G', reference: 'env:EMPTY' },
      { setting: 'F', reference: 'env:WORDS' },
      { setting: 'E', reference: 'env:PLACEHOLDER' },
      { setting: 'D', reference: file('open', 'hush-open', 0o644) },
      { setting: 'C', reference: `file:${directory}/none` },
      { setting: 'I', reference: `file:${directory}` },
      { setting: 'J', reference: file('empty', '') },
    ];
    assert.deepEqual(await checkReferences(good, environment), []);
    await requireReferences(good, environment);
    const findings = await checkReferences([...bad, ...good], environment);
    assert.deepEqual(
      findings.map(({ secret, kind }) => `${secret} ${kind}`),
      ['C missing', 'D exposed', 'E placeholder', 'F malformed', 'G empty', 'H missing', 'I malformed', 'J empty'],
    );
    await assert.rejects(requireReferences([...bad, ...good], environment), (error) => {
      assert.ok(isArtifactstoreError(error, 'invalid_configuration'));
      assert.deepEqual(
        error.message.match(/^ {2}[A-Z] /gm),
        ['C', 'D', 'E', 'F', 'G', 'H', 'I', 'J'].map((name) => `  ${name} `),
      );
      assert.match(error.message, /D cannot be used: .*run chmod 600 /);
      assert.doesNotMatch(inspect(error, { depth: 9 }), /hush/);
      return true;
    });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('what a store says of itself comes with what to do about the store, and not about the value', async () => {
  await using opened = new AsyncDisposableStack();
  const vault = opened.use(await startVault());
  vault.tokens.set('t', { 'kv/data/s3': ['read'] });
  const secrets = vaultSecrets(
    { kind: 'vault', address: vault.url, mount: 'kv', path: '' },
    { auth: { method: 'token', tokenRef: 'env:T' }, environment: { T: 't' }, wait: async () => undefined },
  );
  opened.defer(() => secrets.close());
  const told = async (name: string): Promise<string> => {
    const [finding] = await checkReferences([{ setting: 'KEY', reference: `secret:${name}` }], {}, secrets);
    return `${finding?.kind}: ${finding?.remedy}`;
  };
  assert.equal(await told('s3#access'), 'missing: put the value there, or correct the setting');
  assert.match(await told('other'), /^forbidden: .*polic/);
  vault.sealed = true;
  assert.equal(await told('s3#access'), 'unreachable: unseal it, or wait until somebody has');
});

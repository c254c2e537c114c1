import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { isArtifactstoreError } from '../../../src/kernel/error.ts';
import { readCatalogs } from '../../../src/secrets/check/catalog.ts';
import { checkSecrets } from '../../../src/secrets/check/check.ts';
import { generateSecrets } from '../../../src/secrets/check/generate.ts';
import { directorySecrets } from '../../../src/secrets/directory.ts';
import { environmentSecrets } from '../../../src/secrets/environment.ts';
import type { Secrets } from '../../../src/secrets/SECRETS.ts';
import { vaultSecrets } from '../../../src/secrets/vault/vault.ts';
import { startVault } from '../vault/vault-server.ts';

const root = mkdtempSync(join(tmpdir(), 'secrets-check-'));
after(() => rmSync(root, { recursive: true, force: true }));
const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));

function directoryOf(name: string, values: Readonly<Record<string, string>>): Secrets {
  const directory = join(root, name);
  mkdirSync(directory, { mode: 0o700 });
  for (const [key, text] of Object.entries(values)) {
    mkdirSync(dirname(join(directory, key)), { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, key), text, { mode: 0o600 });
  }
  return directorySecrets(directory, { mayBeEmpty: true });
}

const catalogOf = (...secrets: readonly object[]) =>
  readCatalogs([{ path: 'catalog.json', bytes: Buffer.from(JSON.stringify({ secrets })) }]);

const generated = { bytes: 16, encoding: 'hex' };

describe('a check', () => {
  test('says all that is wrong at once, sorted, each with its remedy, never a value, and writes nothing', async () => {
    const secrets = directoryOf('all', {
      good: 'hush-good',
      empty: '\n',
      placeholder: 'changeme',
      malformed: 'hush-malformed',
      short: 'hush-short',
      open: 'hush-open',
      unused: 'changeme',
    });
    chmodSync(join(root, 'all/open'), 0o644);
    const before = readdirSync(join(root, 'all'));
    const catalog = catalogOf(
      { name: 'good', external: 'ask the bank', consumers: ['app'] },
      { name: 'open', external: 'ask the bank', consumers: ['app'] },
      { name: 'empty', external: 'ask the bank', consumers: ['app'] },
      { name: 'placeholder', external: 'ask the bank', consumers: ['app'] },
      { name: 'malformed', generated, consumers: ['app'] },
      { name: 'short', external: 'ask the bank', form: { characters: 32 }, consumers: ['app'] },
      { name: 'made', generated, consumers: ['app'] },
      { name: 'made', generated, consumers: ['app'] },
      { name: 'produced', produced_by: 'migrate', consumers: ['app'] },
      { name: 'bought', external: 'ask the bank', consumers: ['other'] },
      { name: 'unused', external: 'ask the bank', consumers: ['app'] },
      { name: 'broken', consumers: ['app'] },
    );
    const names = ['good', 'open', 'empty', 'placeholder', 'malformed', 'short', 'made', 'produced', 'bought', 'stranger'];
    const report = await checkSecrets({ catalog, uses: names.map((secret) => ({ consumer: 'app', secret })), secrets });
    assert.deepEqual(
      report.findings.map(({ secret, kind, remedy }) => [secret, kind, remedy.replace(root, '')]),
      [
        ['bought', 'missing', 'put it there as "bought": ask the bank'],
        ['bought', 'undeclared', 'add "app" to its consumers, or take the reference out'],
        ['broken', 'invalid_declaration', 'correct the catalog: docs/secrets.md has the format'],
        ['empty', 'empty', 'put it there as "empty": ask the bank'],
        ['made', 'declared_twice', 'keep one of them, with the consumers of both'],
        ['made', 'missing', 'run `artifactstore secrets generate`, which makes it where nothing is'],
        ['malformed', 'malformed', 'run `artifactstore secrets generate`, which makes it where nothing is'],
        ['open', 'exposed', 'put it there as "open": ask the bank'],
        ['placeholder', 'placeholder', 'put it there as "placeholder": ask the bank'],
        ['produced', 'missing', 'run migrate, which makes it'],
        ['short', 'malformed', 'put it there as "short": ask the bank'],
        ['stranger', 'undeclared', 'declare it with its source, or correct the reference'],
      ],
    );
    assert.match(report.findings.find(({ kind }) => kind === 'exposed')?.problem ?? '', /run chmod 600 /);
    assert.partialDeepStrictEqual(report, { ok: false, checked: 9, inactive: ['unused'], generatable: ['made'] });
    for (const text of ['hush', Buffer.from('hush-good').toString('base64')]) assert.equal(JSON.stringify(report).includes(text), false);
    assert.deepEqual(readdirSync(join(root, 'all')), before);
    assert.deepEqual(await checkSecrets({ catalog, uses: names.map((secret) => ({ consumer: 'app', secret })), secrets }), report);
  });

  test('of what is right is empty; without consumers all that is declared is looked at', async () => {
    const secrets = environmentSecrets({ A: 'hush-a', B: 'hush-b' });
    const catalog = catalogOf({ name: 'A', external: 'e' }, { name: 'B', produced_by: 'p' });
    assert.deepEqual(await checkSecrets({ catalog, uses: undefined, secrets }), {
      ok: true,
      store: 'the environment',
      checked: 2,
      inactive: [],
      generatable: [],
      findings: [],
    });
  });

  test('takes a reference to a whole document for all of its fields', async () => {
    await using vault = await startVault();
    vault.tokens.set('t', { '': ['read'] });
    vault.documents.set('s3', { version: 1, data: { access_key: 'hush-a' } });
    const secrets = openVault(vault.url);
    const catalog = catalogOf(
      { name: 's3#access_key', external: 'e', consumers: ['app'] },
      { name: 's3#secret_key', external: 'e', consumers: ['app'] },
    );
    const report = await checkSecrets({ catalog, uses: [{ consumer: 'app', secret: 's3' }], secrets });
    assert.deepEqual([report.checked, report.findings.map(({ secret, kind }) => `${secret} ${kind}`)], [2, ['s3#secret_key missing']]);
    await secrets.close();
  });

  test('tells what a vault refuses from what it does not answer, and neither is missing', async () => {
    await using vault = await startVault();
    vault.tokens.set('t', { 'kv/data/a': ['read'] });
    vault.documents.set('a', { version: 1, data: { value: 'hush-a' } });
    const catalog = catalogOf(...['a', 'b', 'c'].map((name) => ({ name, external: 'e' })));
    const secrets = openVault(vault.url);
    const refused = await checkSecrets({ catalog, uses: undefined, secrets });
    assert.deepEqual(
      refused.findings.map(({ secret, kind, remedy }) => [secret, kind, remedy]),
      ['b', 'c'].map((name) => [name, 'forbidden', `its policy needs "read" on kv/data/${name}, if the token is still good`]),
    );
    vault.sealed = true;
    const many = catalogOf(...Array.from({ length: 40 }, (_, index) => ({ name: `s${index}`, generated })));
    const asked = vault.asked.length;
    const sealed = await checkSecrets({ catalog: many, uses: undefined, secrets });
    assert.deepEqual([...new Set(sealed.findings.map(({ kind }) => kind))], ['unreachable']);
    assert.equal(sealed.findings.length, 40);
    assert.ok(vault.asked.length - asked < 20, 'a store that does not answer is not asked for each');
    await secrets.close();
  });
});

function openVault(address: string): Secrets {
  return vaultSecrets(
    { kind: 'vault', address, mount: 'kv', path: '' },
    { auth: { method: 'token', tokenRef: 'env:T' }, environment: { T: 't' }, wait: async () => undefined },
  );
}

describe('generating', () => {
  test('makes what is missing, and leaves what is there', async () => {
    const secrets = directoryOf('made', { there: 'hush-there', empty: '' });
    const catalog = catalogOf(
      { name: 'there', generated },
      { name: 'empty', generated },
      { name: 'folder/new', generated: { bytes: 32, encoding: 'alphanumeric' } },
      { name: 'bought', external: 'e' },
    );
    const dry = await generateSecrets({ catalog, uses: undefined, secrets, random, dryRun: true });
    assert.deepEqual([dry.made, dry.kept], [['folder/new'], ['empty', 'there']]);
    assert.equal(await secrets.get('folder/new'), undefined);
    const report = await generateSecrets({ catalog, uses: undefined, secrets, random, dryRun: false });
    assert.deepEqual(report, dry);
    const value = (await secrets.get('folder/new'))?.value.reveal() ?? '';
    assert.match(value, /^[A-Za-z0-9]{43}$/);
    assert.equal(JSON.stringify(report).includes(value), false);
    assert.equal((await secrets.get('there'))?.value.reveal(), 'hush-there');
    const again = await generateSecrets({ catalog, uses: undefined, secrets, random, dryRun: false });
    assert.deepEqual([again.made, again.kept], [[], ['empty', 'folder/new', 'there']]);
    const { findings } = await checkSecrets({ catalog, uses: undefined, secrets });
    assert.deepEqual(
      findings.map(({ secret, kind }) => `${secret} ${kind}`),
      ['bought missing', 'empty empty', 'there malformed'],
    );
  });

  test('makes nothing where one of them may not be made, where the catalog is wrong, or in the environment', async () => {
    await using vault = await startVault();
    vault.tokens.set('t', { 'kv/data/a': ['read', 'create', 'update'], 'kv/data/b': ['read'] });
    const secrets = openVault(vault.url);
    const input = { uses: undefined, secrets, random, dryRun: false };
    await assert.rejects(generateSecrets({ ...input, catalog: catalogOf({ name: 'a', generated }, { name: 'b', generated }) }), (error) =>
      isArtifactstoreError(error, 'secrets_forbidden'),
    );
    await assert.rejects(generateSecrets({ ...input, catalog: catalogOf({ name: 'a', generated }, { name: 'a', generated }) }), (error) =>
      isArtifactstoreError(error, 'invalid_configuration'),
    );
    assert.equal(vault.documents.size, 0);
    const environment = environmentSecrets({});
    await assert.rejects(generateSecrets({ ...input, secrets: environment, catalog: catalogOf({ name: 'a', generated }) }), (error) =>
      isArtifactstoreError(error, 'invalid_configuration'),
    );
    await secrets.close();
  });

  test('by several at once makes each once', async () => {
    const secrets = directoryOf('once', {});
    const catalog = catalogOf(...Array.from({ length: 5 }, (_, index) => ({ name: `s${index}`, generated })));
    const reports = await Promise.all(
      Array.from({ length: 4 }, () => generateSecrets({ catalog, uses: undefined, secrets, random, dryRun: false })),
    );
    assert.equal(reports.flatMap(({ made }) => made).length, 5, JSON.stringify(reports));
  });
});

import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { startVault, type VaultServer } from '../../secrets/vault/vault-server.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

/** What must be in no output, in none of the forms in which it could slip through. */
const values = ['hush/+ value-1', 'hush-2', 'hush-vault-token', 'hush/word-7'];
const forms = values.flatMap((value) => [value, encodeURIComponent(value), Buffer.from(value).toString('base64').replace(/=+$/, '')]);

const generated = { bytes: 32, encoding: 'hex' };

describe('secrets', () => {
  let place: Workplace;
  let vault: VaultServer;
  const outputs: string[] = [];

  before(async () => {
    vault = await startVault();
    place = openWorkplace({ VAULT_TOKEN: 'hush-vault-token', ARTIFACTSTORE_VAULT_TOKEN_REF: 'env:VAULT_TOKEN' });
    mkdirSync(place.path('store'), { mode: 0o700 });
    place.write({
      'catalog.json': JSON.stringify({
        secrets: [
          { name: 'cosmo/jwt', generated, consumers: ['cosmo'] },
          { name: 's3/access_key', external: 'the owner of the bucket has it', consumers: ['cosmo'] },
          { name: 's3/secret_key', external: 'the owner of the bucket has it', consumers: ['cosmo'] },
        ],
      }),
      'twice.json': JSON.stringify({ secrets: [{ name: 'cosmo/jwt', generated }] }),
      'cosmo.nomad.hcl': 'data = "{{ with secret `kv/data/cosmo/jwt` }}{{ end }} {{ with secret `kv/data/s3/access_key` }}{{ end }}"',
      'store/s3/access_key': values[0]!,
      'store/s3/secret_key': values[1]!,
    });
    for (const path of ['store/s3/access_key', 'store/s3/secret_key']) chmodSync(place.path(path), 0o600);
    chmodSync(place.path('store/s3'), 0o700);
  });
  after(async () => {
    place[Symbol.dispose]();
    await vault[Symbol.asyncDispose]();
    for (const output of outputs) for (const form of forms) assert.equal(output.includes(form), false, `${form} is in an output`);
  });

  test('scan finds values of files in what is to be given away, and their passwords, and shows none', async () => {
    place.write({
      'known.env': `DB_URL=postgres://me:${'hush%2Fword-7'}@db/x\nENDPOINT=http://store:9000\nSHORT=ab\n`,
      'evidence/run.log': 'ENDPOINT is http://store:9000\n',
      'evidence/deep/trace.txt': 'it said hush/word-7 twice',
    });
    const found = await run('scan', 'evidence', '--known', 'known.env', '--public', 'ENDPOINT');
    assert.equal(found.code, 1);
    assert.equal(found.stdout, 'found DB_URL (its password) in deep/trace.txt at byte 8\n');
    assert.match(found.stderr, /too short to be looked for: SHORT/);
    place.write({ 'evidence/deep/trace.txt': 'it said nothing' });
    const clean = await run('scan', 'evidence', '--known', 'known.env', '--public', 'ENDPOINT');
    assert.deepEqual([clean.code, clean.stdout], [0, 'clean 2 files, 45 B\n']);
    assert.doesNotMatch(clean.stderr, /--public/);
    const mistyped = await run('scan', 'evidence', '--known', 'known.env', '--public', 'END_POINT', 'SHORT');
    assert.deepEqual([mistyped.code, mistyped.stdout], [1, 'found ENDPOINT in run.log at byte 12\n']);
    assert.match(mistyped.stderr, /^note: no --known file has END_POINT, which --public names$/m);
    const strict = await run('scan', 'evidence', '--known', 'known.env', '--json');
    assert.equal((JSON.parse(strict.stdout) as { readonly leaks: readonly unknown[] }).leaks.length, 1);
    assert.equal((await run('scan', 'nowhere', '--known', 'known.env')).code, 2);
    assert.equal((await run('scan', 'evidence', '--known', 'nowhere.env')).code, 2);
  });

  test('files that are wrong are told all at once', async () => {
    place.write({
      'bare.env': '# nothing\n',
      'quoted.env': 'A="b"\n',
      'bad.json': '{',
      'other.json': '[]',
      'known.env': 'LONG_ENOUGH=1234567890\n',
    });
    const scan = await run('scan', 'nowhere', '--known', 'known.env', 'bare.env', 'quoted.env', 'store');
    assert.equal(scan.code, 2);
    const said = [
      /nowhere" can't be read/,
      /bare\.env" has no value that could be looked for/,
      /line 1, A: has quotes/,
      /store".*directory/,
    ];
    assert.match(scan.stderr, /^error: 4 of these cannot be used:\n/);
    for (const each of said) assert.match(scan.stderr, each);
    assert.match((await run('scan', 'evidence', '--known', 'known.env', 'bare.env')).stderr, /^error: "\S+bare\.env" has no value/);
    place.write({ 'wide.hcl': Buffer.from('data = "{{ with secret `kv/data/cosmo/jwt` }}"', 'utf16le'), 'consumers.json': '[]' });
    const consumers = ['none.hcl', 'store', 'wide.hcl', 'consumers.json'];
    const check = await run('check', '--store', 'file:store', '--catalog', 'bad.json', 'other.json', '--consumers', ...consumers);
    assert.equal(check.code, 2);
    for (const each of [
      /^error: 6 of these cannot be used:\n/,
      /bad\.json is no JSON/,
      /other\.json has no list "secrets"/,
      /none\.hcl" can't be read/,
      /store" can't be read/,
      /wide\.hcl cannot be looked through: it is no text in UTF-8/,
      /consumers\.json has no object "consumers"/,
    ])
      assert.match(check.stderr, each);
  });

  async function run(...args: readonly string[]) {
    const finished = await place.run('secrets', ...args);
    outputs.push(finished.stdout, finished.stderr);
    return finished;
  }

  test('check says what is wrong, generate makes what can be made, and then all is right', async () => {
    const options = ['--catalog', 'catalog.json', '--store', 'file:store'];
    const first = await run('check', ...options);
    assert.equal(first.code, 1);
    assert.match(first.stdout, /^missing cosmo\/jwt is not in .*\/store\n {2}run `artifactstore secrets generate`/m);
    const dry = await run('generate', ...options, '--dry-run');
    assert.deepEqual([dry.code, dry.stdout], [0, 'would make cosmo/jwt\n']);
    assert.equal((await run('check', ...options)).code, 1);
    const made = await run('generate', ...options);
    assert.deepEqual([made.code, made.stdout], [0, 'made cosmo/jwt\n']);
    assert.match(made.stderr, /made 1 secret in .*, 0 were there already/);
    const value = readFileSync(place.path('store/cosmo/jwt'), 'utf8');
    assert.match(value, /^[0-9a-f]{64}$/);
    forms.push(value);
    const last = await run('check', ...options);
    assert.deepEqual([last.code, last.stdout], [0, `right 3 secrets in ${place.path('store')}\n`]);
    assert.equal((await run('generate', ...options)).stdout, '');
    assert.equal(readFileSync(place.path('store/cosmo/jwt'), 'utf8'), value);
  });

  test('check looks at what consumers refer to, in all catalogs, and answers programs in JSON', async () => {
    chmodSync(place.path('store/s3/access_key'), 0o644);
    const args = ['--catalog', 'catalog.json', 'twice.json', '--consumers', 'cosmo.nomad.hcl', '--store', 'file:store', '--json'];
    const finished = await run('check', ...args);
    chmodSync(place.path('store/s3/access_key'), 0o600);
    assert.equal(finished.code, 1);
    const report = JSON.parse(finished.stdout) as { findings: { secret: string; kind: string }[]; inactive: string[] };
    assert.deepEqual(report.inactive, ['s3/secret_key']);
    assert.deepEqual(
      report.findings.map(({ secret, kind }) => `${secret} ${kind}`),
      ['cosmo/jwt declared_twice', 's3/access_key exposed'],
    );
  });

  test('check asks a vault with the token of the settings, and tells forbidden and sealed from missing', async () => {
    const options = ['check', '--catalog', 'catalog.json', '--store', `vault:${vault.url}/kv`];
    vault.tokens.set('hush-vault-token', { 'kv/data/cosmo': ['read'], 'kv/data/s3/a': ['read'] });
    vault.documents.set('s3/access_key', { version: 1, data: { value: values[0] } });
    const mixed = await run(...options);
    assert.deepEqual([mixed.code, mixed.stdout.match(/^\w+ \S+/gm)], [1, ['missing cosmo/jwt', 'forbidden s3/secret_key']]);
    vault.sealed = true;
    const sealed = await run(...options);
    vault.sealed = false;
    assert.deepEqual([sealed.code, sealed.stdout.match(/^\w+/gm)], [1, ['unreachable', 'unreachable', 'unreachable']]);
    assert.match(sealed.stdout, /is sealed/);
  });

  test('what is wrong with the options, a file or a setting is said with its name', async () => {
    for (const [args, code, told] of [
      [['check', '--store', 'env'], 2, /required option '--catalog <file\.\.\.>'/],
      [['check', '--catalog', 'catalog.json'], 2, /There is no store of secrets to look at\..*ARTIFACTSTORE_SECRETS/s],
      [['check', '--catalog', 'catalog.json', '--store', 'vault:http://vault.example/kv'], 2, /--store: http is for this machine alone/],
      [['check', '--catalog', 'none.json', '--store', 'env'], 2, /"none\.json" can't be read: it is not there/],
      [['check', '--catalog', 'cosmo.nomad.hcl', '--store', 'env'], 2, /The catalog cosmo\.nomad\.hcl is no JSON/],
      [['generate', '--catalog', 'catalog.json', '--store', 'env'], 2, /Nothing can be made in the environment/],
      [['generate', '--catalog', 'catalog.json', 'twice.json', '--store', 'file:store'], 2, /Nothing was made: cosmo\/jwt is declared/],
      [['generate', '--catalog', 'catalog.json', '--store', 'file:none'], 6, /cannot be used: it is not there/],
    ] as const) {
      const finished = await run(...args);
      assert.equal(finished.code, code, `${args.join(' ')}: ${finished.stderr}`);
      assert.match(finished.stderr, told);
    }
  });

  test('bootstrap-serve does nothing while a secret is not as it should be', async () => {
    using other = openWorkplace({ ARTIFACTSTORE_SECRETS: `file:${place.path('store')}` });
    const serve = ['bootstrap-serve', '--root', 'none'];
    const finished = await other.run(...serve, '--secrets-catalog', place.path('catalog.json'), place.path('twice.json'));
    outputs.push(finished.stdout, finished.stderr);
    assert.equal(finished.code, 2);
    assert.match(finished.stderr, /Not all secrets of the catalog are as they should be:\n {2}cosmo\/jwt is declared in/);
    const alone = await other.run(...serve, '--secrets-consumers', place.path('cosmo.nomad.hcl'));
    assert.match(alone.stderr, /--secrets-consumers goes with --secrets-catalog/);
    // With its secrets there it looks for its bundles.
    const right = await other.run(...serve, '--secrets-catalog', place.path('catalog.json'));
    outputs.push(right.stdout, right.stderr);
    assert.match(right.stderr, /none/);
    assert.doesNotMatch(right.stderr, /secret/);
  });
});

test('serve does not start while a secret of a bucket is not as it should be, and names all of them', async () => {
  using place = openWorkplace({
    ARTIFACTSTORE_STORAGE_BACKENDS: 'hot:s3,cold:s3',
    ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 'hot',
    ARTIFACTSTORE_S3_HOT_BUCKET: 'hot',
    ARTIFACTSTORE_S3_HOT_ACCESS_KEY_REF: 'env:HOT_ACCESS_KEY',
    ARTIFACTSTORE_S3_HOT_SECRET_KEY_REF: 'env:HOT_SECRET_KEY',
    ARTIFACTSTORE_S3_COLD_BUCKET: 'cold',
    ARTIFACTSTORE_S3_COLD_ACCESS_KEY_REF: 'env:COLD_ACCESS_KEY',
    ARTIFACTSTORE_S3_COLD_SECRET_KEY_REF: 'file:/nonexistent/cold-secret-key',
    HOT_ACCESS_KEY: 'hush-key',
    HOT_SECRET_KEY: 'changeme',
  });
  const { code, stderr } = await place.spawned('serve', '--port', '0');
  assert.equal(code, 2);
  assert.match(stderr, /Not all secrets of the settings are as they should be/);
  assert.deepEqual(stderr.match(/^ {2}ARTIFACTSTORE_S3_\w+ [a-z]+ /gm), [
    '  ARTIFACTSTORE_S3_COLD_ACCESS_KEY_REF cannot ',
    '  ARTIFACTSTORE_S3_COLD_SECRET_KEY_REF cannot ',
    '  ARTIFACTSTORE_S3_HOT_SECRET_KEY_REF leads ',
  ]);
  assert.doesNotMatch(stderr, /hush/);
});

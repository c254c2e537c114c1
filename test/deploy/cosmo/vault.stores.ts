import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { parseEnvFile } from '../../../src/protocol/env-file.ts';
import { scanForSecrets } from '../../../src/secrets/scan/scan.ts';
import { type Daemon, startDaemon } from '../../stores/daemon.ts';
import { type OpenBao, openBaoProgram, startOpenBao, whyNoOpenBao } from '../../stores/openbao.ts';

const own = join(import.meta.dirname, '../../../deploy/cosmo');
const names = ['artifacts', 'cosmo', 'minio', 'postgres', 'seaweedfs'];
const base = 'kv/data/tribuence/v2';
const run = promisify(execFile);

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('the secrets of deploy/cosmo, in a real OpenBao with its real agent', { skip: whyNoOpenBao() ?? false }, () => {
  const opened = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), 'artifactstore-cosmo-'));
  const place = (...parts: readonly string[]): string => join(directory, ...parts);
  /** All that anything has printed; it is looked through at the end. */
  const evidence = place('evidence');
  const bootstrap = join(own, 'scripts/bootstrap.mjs');
  let bao: OpenBao;
  let agents = 0;

  before(async () => {
    for (const folder of ['evidence', 'secrets', 'agent', 'private']) mkdirSync(place(folder));
    bao = opened.use(await startOpenBao());
    writeFileSync(place('private/vault-token'), `${bao.token}\n`);
    writeFileSync(place('private/values.env'), 'COSMO_SEED_USER_EMAIL=foo@example.com\nCOSMO_SEED_ORG=acme\n');
  });
  after(async () => {
    await opened.disposeAsync();
    rmSync(directory, { recursive: true, force: true });
  });

  async function bring(label: string, environment: Record<string, string> = {}): Promise<Ran> {
    const env = {
      PATH: process.env.PATH ?? '',
      VAULT_ADDR: bao.url,
      VAULT_TOKEN_FILE: place('private/vault-token'),
      VALUES_FILE: place('private/values.env'),
      AGENT_DIR: place('agent'),
      // Node would show what it loads and sends.
      NODE_DEBUG: '',
      ...environment,
    };
    const ran = await run(process.execPath, [bootstrap], { env }).then(
      (output) => ({ code: 0, ...output }),
      ({ code, stdout, stderr }: Ran) => ({ code, stdout, stderr }),
    );
    writeFileSync(join(evidence, `${label}.txt`), ran.stdout + ran.stderr);
    return ran;
  }

  /** The agent with its own configuration and templates, at places of this test. */
  async function startAgent(): Promise<Daemon> {
    const folder = place(`run-${agents}`);
    cpSync(join(own, 'agent'), folder, { recursive: true });
    const configuration = readFileSync(join(folder, 'agent.hcl'), 'utf8')
      .replaceAll('/opt/cosmo/agent/', `${folder}/`)
      .replaceAll('"/secrets/', `"${place('secrets')}/`)
      .replaceAll('"/agent/', `"${place('agent')}/`)
      .replace('http://vault:8200', bao.url)
      .replace('"30s"', '"1s"');
    writeFileSync(join(folder, 'agent.hcl'), configuration);
    const logFile = join(evidence, `agent-${agents++}.log`);
    return await startDaemon(openBaoProgram, ['agent', `-config=${folder}/agent.hcl`], { directory: folder, logFile });
  }

  const rendered = (name: string): string => readFileSync(place('secrets', `${name}.env`), 'utf8');
  const digests = (): readonly string[] =>
    names.map((name) => `${createHash('sha256').update(rendered(name)).digest('hex')} ${statSync(place('secrets', `${name}.env`)).ino}`);
  const versions = async (): Promise<readonly unknown[]> =>
    await Promise.all(
      ['minio', 'artifacts', 'postgres', 'cosmo'].map(
        async (name) => (await bao.call('GET', `kv/metadata/tribuence/v2/${name}`)).current_version,
      ),
    );
  async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    for (const ends = Date.now() + 120_000; !(await isSo()); await sleep(100))
      if (Date.now() > ends) throw new Error(`${what}: waited for too long`);
  }
  const areThere = (): boolean => names.every((name) => readdirSync(place('secrets')).includes(`${name}.env`));
  const data = async (name: string): Promise<Record<string, string>> =>
    (await bao.call('GET', `${base}/${name}`)).data as Record<string, string>;

  /** Whether each file has the secrets that are there now: some are replaced while no agent runs. */
  async function areCurrent(): Promise<boolean> {
    const [minio, postgres, cosmo] = [await data('minio'), await data('postgres'), await data('cosmo')];
    const [key, own] = [minio.MINIO_SECRET_KEY, [cosmo.COSMO_REDIS_PASSWORD, cosmo.COSMO_KEYCLOAK_ADMIN_PASSWORD]];
    const wanted = { minio: [key], seaweedfs: [key], artifacts: [key], cosmo: [key, ...own], postgres: [postgres.POSTGRES_PASSWORD] };
    return Object.entries(wanted).every(([name, values]) => values.every((value) => rendered(name).includes(value!)));
  }

  test('says what is missing, where from, and writes nothing before', async () => {
    const ran = await bring('missing', { VALUES_FILE: '' });
    assert.equal(ran.code, 1);
    assert.match(
      ran.stderr,
      /nothing was written:\n.*tribuence\/v2\/cosmo COSMO_SEED_USER_EMAIL is missing: .* the address of the first user/,
    );
    assert.match(ran.stderr, /COSMO_SEED_ORG is missing/);
    await assert.rejects(bao.call('GET', `${base}/minio`), /404/);
    writeFileSync(place('private/wrong.env'), 'COSMO_SEED_USER_EMAIL=changeme\nCOSMO_SEED_ORG=Acme\n');
    const wrong = await bring('wrong', { VALUES_FILE: place('private/wrong.env') });
    assert.match(
      wrong.stderr,
      /COSMO_SEED_USER_EMAIL: the value in VALUES_FILE is a placeholder\n.*COSMO_SEED_ORG: .* does not have the form/,
    );
    for (const [text, told] of [
      ['A=1\n', /line 1: A is no key of this stack/],
      ['COSMO_SEED_ORG="acme"\n', /line 1: is not NAME=value/],
      ['COSMO_SEED_ORG=a1\nCOSMO_SEED_ORG=a2\n', /line 2: COSMO_SEED_ORG is there twice/],
    ] as const) {
      writeFileSync(place('private/wrong.env'), text);
      assert.match((await bring('wrong-lines', { VALUES_FILE: place('private/wrong.env') })).stderr, told);
    }
  });

  test('brings everything in once, and changes nothing the second time', async () => {
    const first = await bring('first');
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /kv\/tribuence\/v2\/cosmo COSMO_AUTH_JWT_SECRET generated \(value not printed\)/);
    assert.match(first.stdout, /COSMO_SEED_ORG given \(value not printed\)/);
    assert.deepEqual(await versions(), [1, 1, 1, 1]);
    const { COSMO_AUTH_JWT_SECRET: secret } = await data('cosmo');
    assert.equal(secret?.length, 32);
    const keys = ['role-id', 'secret-id'].map((name) => place('agent', name));
    assert.deepEqual(
      keys.map((path) => statSync(path).mode & 0o777),
      [0o400, 0o400],
    );
    const before = keys.map((path) => readFileSync(path, 'utf8'));
    const second = await bring('second');
    assert.equal(second.code, 0, second.stderr);
    assert.doesNotMatch(second.stdout, /generated|given|default|made/);
    assert.deepEqual(await versions(), [1, 1, 1, 1]);
    assert.deepEqual(
      keys.map((path) => readFileSync(path, 'utf8')),
      before,
    );
  });

  test('renders what every reader takes for the same, and not again while nothing changes', async () => {
    const agent = await startAgent();
    await until('rendering', areThere);
    const first = digests();
    for (const name of names) {
      const { values, problems } = parseEnvFile(rendered(name));
      assert.deepEqual(problems, [], name);
      assert.ok(values.size > 0 && [...values.values()].every((value) => value !== ''), name);
      assert.equal(statSync(place('secrets', `${name}.env`)).mode & 0o777, 0o444);
    }
    const artifacts = parseEnvFile(rendered('artifacts')).values;
    assert.deepEqual([...artifacts.keys()].sort(), [
      'COSMO_S3_BUCKET',
      'S3_ACCESS_KEY_ID',
      'S3_ENDPOINT_URL',
      'S3_FORCE_PATH_STYLE',
      'S3_REGION',
      'S3_SECRET_ACCESS_KEY',
    ]);
    assert.deepEqual([artifacts.get('S3_ENDPOINT_URL'), artifacts.get('S3_REGION')], ['http://minio:9000', 'auto']);
    const cosmo = parseEnvFile(rendered('cosmo')).values;
    assert.equal(cosmo.get('S3_STORAGE_URL'), 'http://minio:9000/cosmo');
    assert.match(cosmo.get('DB_URL') ?? '', /^postgresql:\/\/cosmo:[0-9a-f]{48}@postgres:5432\/controlplane$/);
    assert.equal(cosmo.get('AUTH_JWT_SECRET'), cosmo.get('COSMO_AUTH_JWT_SECRET'));
    await sleep(2_500);
    assert.deepEqual(digests(), first);
    await agent.stop();
    // A second bootstrap and a second agent: the same bytes.
    await bring('third');
    const again = await startAgent();
    await sleep(2_500);
    assert.deepEqual(digests(), first);
    assert.deepEqual(
      readdirSync(place('secrets')).sort(),
      names.map((name) => `${name}.env`),
    );
    await again.stop();
  });

  test('each wrapper of the stack takes its file, with the names that it wants', async () => {
    const compose = readFileSync(join(own, 'compose.yaml'), 'utf8');
    for (const [, file = '', wanted = ''] of compose.matchAll(
      /\/secrets\/(\w+)\.env[^\n]*\n(?:(?! {2}\w).*\n)*?\s+ENV_FILE_NAMES: (\S+)/g,
    )) {
      const wrapper = join(own, 'scripts/with-env-file.sh');
      const { stdout } = await run('sh', [wrapper, place('secrets', `${file}.env`), 'sh', '-c', 'env | cut -d= -f1'], {
        env: { PATH: process.env.PATH ?? '', ENV_FILE_NAMES: wanted },
      });
      for (const name of wanted.split(',')) assert.ok(stdout.split('\n').includes(name), `${file} ${name}`);
    }
  });

  test('switches the store by one changed value', async () => {
    const agent = await startAgent();
    const before = parseEnvFile(rendered('cosmo')).values;
    const switched = { ...(await data('artifacts')), S3_ENDPOINT_URL: 'http://seaweedfs:8333' };
    await bao.call('POST', `${base}/artifacts`, { options: { cas: 1 }, data: switched });
    await until('the switch', () => rendered('cosmo').includes('seaweedfs') && rendered('artifacts').includes('seaweedfs'));
    const after_ = parseEnvFile(rendered('cosmo')).values;
    const changed = [...after_.keys()].filter((name) => after_.get(name) !== before.get(name));
    assert.deepEqual(changed.sort(), ['S3_ENDPOINT', 'S3_STORAGE_URL']);
    assert.equal(parseEnvFile(rendered('artifacts')).values.get('S3_ENDPOINT_URL'), 'http://seaweedfs:8333');
    assert.equal((await bring('switched')).code, 0);
    assert.deepEqual(await versions(), [1, 2, 1, 1]);
    await agent.stop();
  });

  test('completes what is there in part, keeps what others put there, and replaces no secret', async () => {
    const { COSMO_REDIS_PASSWORD: _, ...rest } = await data('cosmo');
    await bao.call('POST', `${base}/cosmo`, { data: { ...rest, COSMO_KEYCLOAK_ADMIN_PASSWORD: '"changeme"', OF_OTHERS: 'kept' } });
    const ran = await bring('completed');
    assert.match(ran.stdout, /COSMO_REDIS_PASSWORD generated/);
    assert.match(ran.stdout, /COSMO_KEYCLOAK_ADMIN_PASSWORD generated/);
    const now = await data('cosmo');
    assert.equal(now.OF_OTHERS, 'kept');
    assert.equal(now.COSMO_AUTH_JWT_SECRET, rest.COSMO_AUTH_JWT_SECRET);
    assert.match(now.COSMO_KEYCLOAK_ADMIN_PASSWORD ?? '', /^[0-9a-f]{48}$/);
    await bao.call('POST', `${base}/cosmo`, { data: { ...now, COSMO_AUTH_JWT_SECRET: 'a-secret-of-31-characters-only!' } });
    const short = await bring('short');
    assert.equal(short.code, 1);
    assert.match(short.stderr, /COSMO_AUTH_JWT_SECRET does not have the form .*\{32\}.*: correct it in Vault; it is not replaced here/);
    await bao.call('POST', `${base}/cosmo`, { data: now });
    await bao.call('DELETE', `${base}/postgres`);
    assert.match((await bring('deleted')).stdout, /postgres POSTGRES_PASSWORD generated/);
    assert.equal((await data('postgres')).POSTGRES_USER, 'postgres');
  });

  test('two at once agree, whoever is first', async () => {
    await bao.call('DELETE', 'kv/metadata/tribuence/v2/minio');
    for (const name of ['role-id', 'secret-id']) rmSync(place('agent', name));
    const both = await Promise.all([bring('race-1'), bring('race-2')]);
    assert.equal(both.map(({ code, stderr }) => `${code} ${stderr}`).join(), '0 ,0 ');
    assert.equal((await bao.call('GET', 'kv/metadata/tribuence/v2/minio')).current_version, 1);
    assert.deepEqual(readdirSync(place('agent')).sort(), ['role-id', 'secret-id']);
  });

  test('says of a token that may not, of another service and of nobody what to do', async () => {
    writeFileSync(place('private/other-token'), 's.0123456789abcdefghijklmn');
    const other = await bring('forbidden', { VAULT_TOKEN_FILE: place('private/other-token') });
    assert.match(other.stderr, /^bootstrap: the token may not GET sys\/mounts: give one that may\n$/);
    assert.match(
      (await bring('nobody', { VAULT_ADDR: 'http://127.0.0.1:2' })).stderr,
      /does not answer \(ECONNREFUSED\): is Vault started\?/,
    );
    assert.match((await bring('no-token', { VAULT_TOKEN_FILE: place('none') })).stderr, /VAULT_TOKEN_FILE: .* can't be read \(ENOENT\)/);
    assert.match((await bring('no-address', { VAULT_ADDR: '' })).stderr, /set VAULT_ADDR and VAULT_TOKEN_FILE/);
  });

  test('while Vault is sealed nothing is lost, and both say so', async () => {
    const agent = await startAgent();
    await until('rendering again', areCurrent);
    const before = digests();
    await bao.seal();
    const ran = await bring('sealed');
    assert.deepEqual([ran.code, ran.stderr], [1, 'bootstrap: Vault is sealed: unseal it with `bao operator unseal`, and run this again\n']);
    await sleep(2_000);
    assert.deepEqual(digests(), before);
    await bao.unseal();
    assert.equal((await bring('unsealed')).code, 0);
    await agent.stop();
  });

  test('nothing of a value is in anything that was printed, and a planted one is found', async () => {
    const known = names.flatMap((name) => [...parseEnvFile(rendered(name)).values].map(([key, value]) => ({ name: key, value })));
    const ids = ['role-id', 'secret-id'].map((name) => ({ name, value: readFileSync(place('agent', name), 'utf8') }));
    const secret = ({ name }: { readonly name: string }): boolean => /KEY|SECRET|PASSWORD|DSN|DB_URL|secret-id/.test(name);
    const searched = [...known, ...ids, { name: 'token SECRET', value: bao.token }].filter(secret);
    assert.ok(searched.length > 20);
    const report = await scanForSecrets(evidence, searched);
    assert.deepEqual([report.leaks, report.not_looked_at, report.ok], [[], [], true]);
    assert.ok(report.files > 15);
    const value = parseEnvFile(rendered('minio')).values.get('MINIO_ROOT_PASSWORD') ?? '';
    const forms = [
      value,
      Buffer.from(value).toString('base64'),
      Buffer.from(`x${value}`).toString('base64'),
      Buffer.from(value).toString('hex'),
    ];
    for (const [index, form] of forms.entries()) {
      writeFileSync(join(evidence, 'planted.txt'), `before ${form} after`);
      assert.ok((await scanForSecrets(evidence, searched)).leaks.length > 0, `form ${index}`);
    }
  });
});

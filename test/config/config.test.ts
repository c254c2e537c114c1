import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { inspect } from 'node:util';
import { openStore } from '../../src/compose/open-store.ts';
import { type Config, readConfig } from '../../src/config/config.ts';
import { ArtifactstoreError } from '../../src/kernel/error.ts';
import type { LocalBackendConfig } from '../../src/storage/local/kind.ts';
import { isS3 } from '../../src/storage/s3/config.ts';

const directory = mkdtempSync(join(tmpdir(), 'artifactstore-config-'));
after(() => rmSync(directory, { recursive: true, force: true }));

type Environment = Readonly<Record<string, string>>;

function read(environment: Environment = {}, from: string = directory): Config {
  return readConfig(environment, { directory: from });
}

function problems(environment: Environment, from?: string): ArtifactstoreError {
  try {
    read(environment, from);
  } catch (error) {
    assert.ok(error instanceof ArtifactstoreError);
    assert.equal(error.code, 'invalid_configuration');
    return error;
  }
  throw new assert.AssertionError({ message: 'the configuration was taken' });
}

function folder(files: Environment): string {
  const made = mkdtempSync(join(directory, 'folder-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(made, name), text);
  return made;
}

describe('configuration', () => {
  test('takes hosts by their names alone', () => {
    const text = 'Artifacts.Example.ORG, 10.0.0.1,, [FD00::1] ,bücher.example,*';
    assert.deepEqual(read({ ARTIFACTSTORE_ALLOWED_HOSTS: text }).allowedHosts, [
      'artifacts.example.org',
      '10.0.0.1',
      '[fd00::1]',
      'xn--bcher-kva.example',
      '*',
    ]);
    for (const wrong of ['https://a.example', 'a.example:443', 'a.example/', 'a b', '*.example', 'fd00::1', 'a@b', '999.1.1.1'])
      assert.match(
        problems({ ARTIFACTSTORE_ALLOWED_HOSTS: `a.example,${wrong}` }).message,
        /ARTIFACTSTORE_ALLOWED_HOSTS: ".*" is not a host name, without scheme and port/,
        wrong,
      );
  });

  test('has a default for everything', () => {
    const { describe: _, ...config } = read();
    assert.deepEqual(config, {
      database: { kind: 'sqlite', path: join(directory, 'var/artifactstore.db') },
      digestAlgorithm: 'blake3',
      backends: [{ kind: 'local', id: 'local', root: join(directory, 'var/storage') }],
      defaultBackend: 'local',
      routes: [],
      spoolDirectory: join(directory, 'var/spool'),
      smallObjectBytes: 0,
      heldBytes: 1_073_741_824,
      misplaced: [],
      referenced: {},
      host: '127.0.0.1',
      port: 8000,
      accessConfigPath: undefined,
      allowedHosts: [],
      logLevel: 'info',
      logProbes: true,
      basePath: '',
      trustForwardedPrefix: false,
      shutdownGraceSeconds: 30,
      maxConnections: 1_000,
      maxRequestsPerCaller: 256,
      maxStreamsPerCaller: 128,
      maxBufferedBytes: 67_108_864,
      maxFilesPerRequest: 1_000,
      minUploadBytesPerSecond: 0,
      tokens: [],
      anonymousRead: false,
      apiUrl: 'http://127.0.0.1:8000',
      apiToken: undefined,
      apiTokenFile: undefined,
      apiIdentity: undefined,
      apiFromDotEnv: { url: false, token: false },
      cacheDirectory: undefined,
      directory,
      retention: {
        classes: [
          { slug: 'transient', default_duration_seconds: 86_400 },
          { slug: 'raw-evidence', default_duration_seconds: 7_776_000 },
          { slug: 'summary-evidence', default_duration_seconds: 31_536_000 },
          { slug: 'release-evidence', default_duration_seconds: 220_752_000 },
          { slug: 'permanent-record', default_duration_seconds: null },
        ],
        unfinalizedSeconds: 604_800,
        sweepIntervalSeconds: 3600,
        autorun: false,
      },
      guideBoardSchema: join(directory, 'schemas/guide-board.run.v1.json'),
      stateHub: undefined,
    });
  });

  test('is frozen to the bottom', () => {
    const config = read();
    assert.throws(() => Object.assign(config, { port: 1 }), TypeError);
    assert.throws(() => Object.assign(config.retention, { autorun: true }), TypeError);
    assert.throws(() => Object.assign(config.backends[0]!, { root: '/' }), TypeError);
  });

  test('comes from .env where the environment does not say', () => {
    const from = folder({ '.env': 'ARTIFACTSTORE_PORT=9001\nARTIFACTSTORE_HOST="0.0.0.0"\nOTHER=1\n' });
    const config = read({ ARTIFACTSTORE_PORT: '9002' }, from);
    assert.equal(config.port, 9002);
    assert.equal(config.host, '0.0.0.0');
  });

  test('takes an empty variable for one that is not set', () => {
    assert.equal(read({ ARTIFACTSTORE_PORT: '', ARTIFACTSTORE_API_TOKEN: '' }).port, 8000);
  });

  test('says in words why .env can not be read', () => {
    const from = folder({});
    mkdirSync(join(from, '.env'));
    assert.match(problems({}, from).message, /\.env can't be read: it is a directory \(EISDIR\)\.$/);
  });

  test('names everything that is wrong at once, and where it stands', () => {
    const from = folder({ '.env': 'ARTIFACTSTORE_ANON_READ=maybe\n' });
    const error = problems(
      {
        ARTIFACTSTORE_PROT: '8000',
        ARTIFACTSTORE_PORT: '80 00',
        ARTIFACTSTORE_LOG_LEVEL: 'LOUD',
        ARTIFACTSTORE_API_URL: 'localhost:8000',
        ARTIFACTSTORE_RETENTION_UNFINALIZED_SECONDS: '-1',
        ARTIFACTSTORE_DATABASE_URL: 'mysql://root@localhost/x',
      },
      from,
    );
    assert.deepEqual((error.info as { names: string[] }).names.toSorted(), [
      'ARTIFACTSTORE_ANON_READ',
      'ARTIFACTSTORE_API_URL',
      'ARTIFACTSTORE_DATABASE_URL',
      'ARTIFACTSTORE_LOG_LEVEL',
      'ARTIFACTSTORE_PORT',
      'ARTIFACTSTORE_PROT',
      'ARTIFACTSTORE_RETENTION_UNFINALIZED_SECONDS',
    ]);
    assert.match(error.message, /ARTIFACTSTORE_PROT: is not a known setting; did you mean ARTIFACTSTORE_PORT\?/);
    assert.match(error.message, /ARTIFACTSTORE_ANON_READ: "maybe" is neither true nor false \(in \.env\)/);
  });

  test('refuses names that are not in capitals, wherever they stand', () => {
    const from = folder({ '.env': 'artifactstore_port=9001\nArtifactstore_Auth_Tokens=x\nartifactstore_test_x=1\nother=1\n' });
    const { message } = problems({ artifactstore_host: '0.0.0.0' }, from);
    assert.match(message, /artifactstore_port: .*names are in capitals, as ARTIFACTSTORE_PORT \(in \.env\)/);
    assert.match(message, /Artifactstore_Auth_Tokens: .*as ARTIFACTSTORE_AUTH_TOKENS/);
    assert.match(message, /artifactstore_host: .*as ARTIFACTSTORE_HOST$/m);
    assert.match(message, /artifactstore_test_x: is not a known setting/);
  });

  test('suggests what was most likely meant', () => {
    for (const [name, expected] of [
      ['PROT', 'PORT'],
      ['DB_URL', 'DATABASE_URL'],
      ['TOKEN', 'API_TOKEN or ARTIFACTSTORE_ID_TOKEN'],
      ['AUTH_TOKEN', 'AUTH_TOKENS'],
      ['S3_ENDPOINT', 'S3_ENDPOINT_URL'],
      ['S3_ACCESS_KEY_ID', 'S3_ACCESS_KEY_REF'],
      ['LOGLEVEL', 'LOG_LEVEL'],
      ['BUCKET', 'S3_BUCKET'],
      ['STORAGE_ROOT', 'STORAGE_LOCAL_ROOT or ARTIFACTSTORE_STORAGE_SPOOL_ROOT'],
    ] as const)
      assert.ok(problems({ [`ARTIFACTSTORE_${name}`]: 'x' }).message.endsWith(`did you mean ARTIFACTSTORE_${expected}?`), name);
    for (const name of ['VERBOSE', 'X', 'MY_OWN_THING'])
      assert.doesNotMatch(problems({ [`ARTIFACTSTORE_${name}`]: 'x' }).message, /did you mean/);
  });

  test('knows what would be among the data of the system when it is started in /, and opens nothing with it', async () => {
    assert.deepEqual(read({}, '/').misplaced, ['ARTIFACTSTORE_DATABASE_URL', 'ARTIFACTSTORE_STORAGE_LOCAL_ROOT']);
    const set = { ARTIFACTSTORE_DATABASE_URL: 'postgresql://h/d', ARTIFACTSTORE_STORAGE_LOCAL_ROOT: './var/storage' };
    assert.deepEqual(read(set, '/').misplaced, []);
    const config = { ...read(), misplaced: read({}, '/').misplaced };
    await assert.rejects(openStore(config), { code: 'invalid_configuration', message: /working directory is \/.*STORAGE_LOCAL_ROOT/ });
    assert.ok(!existsSync(join(directory, 'var')));
  });

  test('leaves ARTIFACTSTORE_TEST_ names alone, and names that a credential reference names', () => {
    read({ ARTIFACTSTORE_TEST_POSTGRES: 'x', ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:ARTIFACTSTORE_MY_KEY', ARTIFACTSTORE_MY_KEY: 'x' });
    problems({ ARTIFACTSTORE_MY_KEY: 'x' });
  });

  test('knows the forms of a database URL, those of version 0.1 too', () => {
    const at = (url: string) => read({ ARTIFACTSTORE_DATABASE_URL: url }).database;
    for (const url of ['sqlite:./x.db', 'sqlite:x.db', 'sqlite:///x.db', 'sqlite:///./x.db', 'sqlite+aiosqlite:///./x.db'])
      assert.deepEqual(at(url), { kind: 'sqlite', path: join(directory, 'x.db') }, url);
    for (const url of ['sqlite:/data/x.db', 'sqlite:////data/x.db', 'sqlite+aiosqlite:////data/x.db'])
      assert.deepEqual(at(url), { kind: 'sqlite', path: '/data/x.db' }, url);
    for (const url of ['postgresql://u:p@h:5433/d', 'postgresql+asyncpg://u:p@h:5433/d', 'postgres://u:p@h:5433/d'])
      assert.deepEqual(at(url), { kind: 'postgresql', url: 'postgresql://u:p@h:5433/d' }, url);
    assert.deepEqual(at('postgresql+asyncpg://u@h/d?ssl=require'), { kind: 'postgresql', url: 'postgresql://u@h/d?sslmode=require' });
    for (const url of ['sqlite://', 'sqlite:///:memory:', 'sqlite::memory:', 'sqlite://x.db', 'x.db', 'postgresql://h', 'mysql://h/d'])
      problems({ ARTIFACTSTORE_DATABASE_URL: url });
    for (const url of ['sqlite:x.db?mode=ro', 'sqlite+aiosqlite:///x.db?timeout=5']) problems({ ARTIFACTSTORE_DATABASE_URL: url });
    for (const url of ['postgresql://u:hush%zz@h/d', 'postgresql://u:p@h/%', 'postgresql://u:hu#sh@h/d', 'postgresql://u:%ff@h/d']) {
      const told = problems({ ARTIFACTSTORE_DATABASE_URL: url }).message;
      assert.match(told, /"@" is written %40/);
      assert.doesNotMatch(told, /hu.?sh/);
    }
  });

  test('reads tokens with and without an actor', () => {
    const { tokens } = read({ ARTIFACTSTORE_AUTH_TOKENS: 'plain, ci bot=abc==\nYWJjZA==,\n' });
    assert.deepEqual(tokens, [
      { token: 'plain', actor: 'token:a116c9ed' },
      { token: 'abc==', actor: 'ci bot' },
      { token: 'YWJjZA==', actor: 'token:db3eaf9a' },
    ]);
  });

  test('never shows a secret: not in a message, not in its description', () => {
    const secret = 'hush-hush';
    for (const environment of [
      { ARTIFACTSTORE_AUTH_TOKENS: `${secret} ${secret}` },
      { ARTIFACTSTORE_AUTH_TOKENS: `${secret},${secret}` },
      { ARTIFACTSTORE_AUTH_TOKENS: `\u0007=${secret}` },
      { ARTIFACTSTORE_S3_SECRET_KEY_REF: secret },
      { ARTIFACTSTORE_DATABASE_URL: `mysql://root:${secret}@localhost/x` },
    ])
      assert.doesNotMatch(problems(environment).message, /hush/);
    const config = read({
      ARTIFACTSTORE_AUTH_TOKENS: secret,
      ARTIFACTSTORE_API_TOKEN: secret,
      ARTIFACTSTORE_DATABASE_URL: `postgresql://root:${secret}@localhost/x?password=${secret}`,
    });
    assert.doesNotMatch(inspect(config.describe()), /hush/);
    assert.equal(config.describe().ARTIFACTSTORE_PORT, '8000');
  });

  test('names the access file by its whole path, and does not read it', () => {
    const from = folder({});
    assert.equal(read({ ARTIFACTSTORE_ACCESS_CONFIG_PATH: 'access.toml' }, from).accessConfigPath, join(from, 'access.toml'));
    assert.equal(read({ ARTIFACTSTORE_ACCESS_CONFIG_PATH: '' }, from).accessConfigPath, undefined);
  });

  test('reads retention classes from TOML over the built-in ones', () => {
    const from = folder({
      'retention.toml': '[retention_classes.raw-evidence]\ndefault_duration_seconds = 60\n[retention_classes.forever]\n',
    });
    const { classes } = read({ ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml' }, from).retention;
    const durations = new Map(classes.map((entry) => [entry.slug, entry.default_duration_seconds]));
    assert.equal(durations.get('raw-evidence'), 60);
    assert.equal(durations.get('forever'), null);
    assert.equal(durations.get('transient'), 86_400);
  });

  test('names the file and the line of a bad retention file', () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['[retention_classes.a]\ndefault_duration_seconds = \n', /retention\.toml, line 2/],
      ['# a\n[retention_classes.a]\ndefault_duration_seconds = -5\n', /retention\.toml, line 3: .*whole number of seconds/],
      [
        '# b is short\n[retention_classes.a]\ndefault_duration_seconds = 5\n\n[retention_classes.b]\ndefault_duration_seconds = 0\n',
        /line 6: retention_classes\.b: /,
      ],
      ['[retention_classes.a]\n[retention_classes]\n"b".default_duration_seconds = "x"\n', /line 3: retention_classes\.b: /],
      ['[retention_classes]\na = { default_duration_seconds = 1 }\nb = { seconds = 1 }\n', /line 3: .*not "seconds"/],
      ['# retention_classes\nretention_classes = 1\n', /line 2: retention_classes must be a table/],
      ['[retention_classes.a]\ndefault_duration_seconds = 1\n[retention_classes.default]\nduration = 1\n', /line 4: .*not "duration"/],
      ['[retention_classes.a]\ndefault_duration_second = 5\n', /line 2: .*not "default_duration_second"/],
      ['[retention_classes."A b"]\n', /line 1: "A b" is not a slug/],
      ['[retention]\n', /line 1: "retention" is not known/],
    ];
    for (const [text, expected] of cases)
      assert.match(
        problems({ ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml' }, folder({ 'retention.toml': text })).message,
        expected,
      );
    assert.match(problems({ ARTIFACTSTORE_RETENTION_CONFIG_PATH: './absent.toml' }).message, /absent\.toml can't be read/);
  });

  test('reads routes, and refuses those to nowhere', () => {
    assert.deepEqual(read({ ARTIFACTSTORE_STORAGE_BACKEND_ROUTES: 'ci:main:raw-evidence=local, *:*=local' }).routes, [
      { producer: 'ci:main', retentionClass: 'raw-evidence', backendId: 'local' },
      { producer: '*', retentionClass: '*', backendId: 'local' },
    ]);
    assert.match(problems({ ARTIFACTSTORE_STORAGE_BACKEND_ROUTES: 'ci:raw=nowhere' }).message, /nowhere/);
    assert.match(problems({ ARTIFACTSTORE_STORAGE_BACKEND_ROUTES: 'ci=local' }).message, /does not look like/);
  });

  test('reads a bucket with keys by reference', () => {
    const config = read(
      {
        ARTIFACTSTORE_STORAGE_BACKENDS: 'local,s3',
        ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 's3',
        ARTIFACTSTORE_S3_ENDPOINT_URL: 'https://rgw.example.org/',
        ARTIFACTSTORE_S3_BUCKET: 'evidence',
        ARTIFACTSTORE_S3_KEY_PREFIX: '/registry/one/',
        ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:MY_ACCESS_KEY',
        ARTIFACTSTORE_S3_SECRET_KEY_REF: 'env:MY_SECRET_KEY',
        MY_ACCESS_KEY: 'access',
      },
      folder({ '.env': 'MY_SECRET_KEY=hidden' }),
    );
    assert.equal(config.defaultBackend, 's3');
    const [local, s3] = config.backends;
    assert.equal(local?.kind, 'local');
    assert.ok(s3 !== undefined && isS3(s3));
    assert.equal(s3.endpointUrl, 'https://rgw.example.org');
    assert.equal(s3.keyPrefix, 'registry/one');
    assert.equal(s3.multipartChunkBytes, 8_388_608);
    assert.deepEqual(s3.credentials, {
      kind: 'static',
      accessKeyRef: 'env:MY_ACCESS_KEY',
      secretKeyRef: 'env:MY_SECRET_KEY',
      sessionTokenRef: undefined,
    });
    assert.deepEqual(config.referenced, { MY_ACCESS_KEY: 'access', MY_SECRET_KEY: 'hidden' });
    assert.ok(!JSON.stringify(config.describe()).includes('hidden'));
  });

  test('sends no secret of the environment to an address of .env', () => {
    const bucket = { ARTIFACTSTORE_STORAGE_BACKENDS: 's3', ARTIFACTSTORE_S3_BUCKET: 'evidence' };
    const keys = { ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:AWS_ACCESS_KEY_ID', ARTIFACTSTORE_S3_SECRET_KEY_REF: 'file:/run/secret' };
    const role = {
      ARTIFACTSTORE_S3_CREDENTIALS: 'web-identity',
      ARTIFACTSTORE_S3_ROLE_ARN: 'arn:aws:iam:::role/r',
      ARTIFACTSTORE_S3_WEB_IDENTITY_TOKEN_FILE: '/run/token',
    };
    const value = { AWS_ACCESS_KEY_ID: 'mine' };
    const endpoint = { ARTIFACTSTORE_S3_ENDPOINT_URL: 'https://elsewhere.example' };
    const sts = { ARTIFACTSTORE_S3_STS_ENDPOINT_URL: 'https://elsewhere.example' };
    const asFile = (values: Environment): string =>
      folder({
        '.env': Object.entries(values)
          .map(([name, text]) => `${name}=${text}`)
          .join('\n'),
      });
    for (const [ours, theirs, refused] of [
      [value, { ...bucket, ...keys, ...endpoint }, ['ENDPOINT_URL: is no address for AWS_ACCESS_KEY_ID, which .*ACCESS_KEY_REF names,']],
      [{ ...bucket, ...keys, ...value }, endpoint, ['AWS_ACCESS_KEY_ID', 'ENDPOINT_URL: is no address for .*S3_SECRET_KEY_REF of the']],
      [{ ...bucket, ...role }, sts, ['STS_ENDPOINT_URL: is no address for .*WEB_IDENTITY_TOKEN_FILE']],
      [{ ...bucket, ...role }, endpoint, ['S3_ENDPOINT_URL: is no address for .*WEB_IDENTITY_TOKEN_FILE']],
    ] as const) {
      const { message } = problems(ours, asFile(theirs));
      for (const each of refused) assert.match(message, new RegExp(each));
      assert.match(message, /set it in the environment too \(in \.env\)/);
      assert.ok(!message.includes('mine'));
    }
    for (const [ours, theirs] of [
      [{}, { ...bucket, ...keys, ...endpoint, ...value }],
      [endpoint, { ...bucket, ...keys, ...value }],
      [
        { ...endpoint, ...value },
        { ...bucket, ...keys },
      ],
      [{ ...value, ...keys }, endpoint],
    ] as const)
      assert.ok(read(ours, asFile(theirs)));
    assert.match(problems({ ARTIFACTSTORE_S3_REGION: 'x.elsewhere.example/' }).message, /is not a region/);
  });

  test('reads backends by name, each with the settings of its own', () => {
    const config = read({
      ARTIFACTSTORE_STORAGE_BACKENDS: 'local, disk-2:local, hot:s3, s3',
      ARTIFACTSTORE_STORAGE_LOCAL_DISK_2_ROOT: '/srv/two',
      ARTIFACTSTORE_S3_HOT_BUCKET: 'hot',
      ARTIFACTSTORE_S3_HOT_ACCESS_KEY_REF: 'env:A',
      ARTIFACTSTORE_S3_HOT_SECRET_KEY_REF: 'env:B',
      ARTIFACTSTORE_S3_BUCKET: 'plain',
      ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:A',
      ARTIFACTSTORE_S3_SECRET_KEY_REF: 'env:B',
    });
    assert.deepEqual(
      config.backends.map((backend) => [backend.id, backend.kind, isS3(backend) ? backend.bucket : (backend as LocalBackendConfig).root]),
      [
        ['local', 'local', join(directory, 'var/storage')],
        ['disk-2', 'local', '/srv/two'],
        ['hot', 's3', 'hot'],
        ['s3', 's3', 'plain'],
      ],
    );
    const backends = (list: string) => problems({ ARTIFACTSTORE_STORAGE_BACKENDS: list }).message;
    assert.match(backends('hot:s3'), /ARTIFACTSTORE_S3_HOT_BUCKET: is not set, and the backend "hot" needs it/);
    assert.match(backends('tape'), /"tape": "tape" is no kind of backend; the kinds are "local" and "s3"/);
    assert.match(backends('Hot:s3'), /"Hot:s3" is not id:kind, with an id of small letters/);
    assert.match(backends('a:b:c'), /is not id:kind/);
    assert.match(backends('a:local,a:local'), /names "a" twice/);
    assert.match(backends('s3:local'), /"s3:local" is called as another kind/);
    const sts = { ARTIFACTSTORE_STORAGE_BACKENDS: 'sts:s3' };
    assert.match(problems(sts).message, /ARTIFACTSTORE_STORAGE_BACKENDS: "sts" cannot be the name of a backend of the kind "s3"/);
  });

  test('refuses two backends in one place, and one within another', () => {
    const two = { ARTIFACTSTORE_STORAGE_BACKENDS: 'local,b:local', ARTIFACTSTORE_STORAGE_LOCAL_ROOT: '/srv/a' };
    assert.match(problems({ ...two, ARTIFACTSTORE_STORAGE_LOCAL_B_ROOT: '/srv/a' }).message, /"local" and "b" are one place, \/srv\/a/);
    assert.match(problems({ ...two, ARTIFACTSTORE_STORAGE_LOCAL_B_ROOT: '/srv/a/b' }).message, /"b" \(\/srv\/a\/b\) lies within "local"/);
    read({ ...two, ARTIFACTSTORE_STORAGE_LOCAL_B_ROOT: '/srv/ab' });
  });

  test('reads a bucket with temporary keys, from the STS beside it where no other is named', () => {
    const config = read({
      ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
      ARTIFACTSTORE_S3_ENDPOINT_URL: 'https://rgw.example.org',
      ARTIFACTSTORE_S3_BUCKET: 'evidence',
      ARTIFACTSTORE_S3_CREDENTIALS: 'web-identity',
      ARTIFACTSTORE_S3_ROLE_ARN: 'arn:aws:iam:::role/artifactstore',
      ARTIFACTSTORE_S3_WEB_IDENTITY_TOKEN_FILE: 'token',
    });
    assert.equal(config.defaultBackend, 's3');
    const [s3] = config.backends;
    assert.ok(s3 !== undefined && isS3(s3));
    assert.deepEqual(s3.credentials, {
      kind: 'web-identity',
      stsEndpointUrl: 'https://rgw.example.org',
      roleArn: 'arn:aws:iam:::role/artifactstore',
      webIdentityTokenFile: join(directory, 'token'),
      sessionDurationSeconds: 3600,
    });
  });

  test('names every setting that a bucket lacks, and checks them all even without one', () => {
    const { message } = problems({ ARTIFACTSTORE_STORAGE_BACKENDS: 's3' });
    for (const name of ['BUCKET', 'ACCESS_KEY_REF', 'SECRET_KEY_REF'])
      assert.match(message, new RegExp(`ARTIFACTSTORE_S3_${name}: is not set`));
    const temporary = problems({ ARTIFACTSTORE_STORAGE_BACKENDS: 's3', ARTIFACTSTORE_S3_CREDENTIALS: 'web-identity' }).message;
    for (const name of ['ROLE_ARN', 'WEB_IDENTITY_TOKEN_FILE']) assert.match(temporary, new RegExp(`ARTIFACTSTORE_S3_${name}: is not set`));
    const both = {
      ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
      ARTIFACTSTORE_S3_BUCKET: 'b',
      ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:ACCESS',
      ARTIFACTSTORE_S3_SECRET_KEY_REF: 'env:SECRET',
      ARTIFACTSTORE_S3_ROLE_ARN: 'arn:aws:iam:::role/artifactstore',
    };
    assert.match(problems(both).message, /ARTIFACTSTORE_S3_ROLE_ARN: is set, and ARTIFACTSTORE_S3_CREDENTIALS is not/);
    read({ ...both, ARTIFACTSTORE_S3_CREDENTIALS: 'static' });
    assert.match(problems({ ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 's3' }).message, /"s3" is not one of local/);
    assert.match(problems({ ARTIFACTSTORE_S3_FORCE_PATH_STYLE: '2' }).message, /S3_FORCE_PATH_STYLE/);
    assert.match(problems({ ARTIFACTSTORE_S3_SSE: 'rot13' }).message, /S3_SSE.*AES256/);
    assert.match(problems({ ARTIFACTSTORE_S3_KEY_PREFIX: 'a//b' }).message, /S3_KEY_PREFIX/);
    assert.match(problems({ ARTIFACTSTORE_S3_MULTIPART_CHUNK_BYTES: '1000' }).message, /S3_MULTIPART_CHUNK_BYTES/);
    read({ ARTIFACTSTORE_S3_BUCKET: 'b', ARTIFACTSTORE_S3_SECRET_KEY_REF: 'file:/run/secrets/s3' });
  });
});

describe('the folder for what can be done without', () => {
  test('is in the environment alone, and absolute', () => {
    const cases: readonly (readonly [Environment, string | undefined])[] = [
      [{ HOME: '/home/me' }, '/home/me/.cache/artifactstore'],
      [{ HOME: '/home/me', XDG_CACHE_HOME: '/cache' }, '/cache/artifactstore'],
      [{ HOME: '/home/me', XDG_CACHE_HOME: '' }, '/home/me/.cache/artifactstore'],
      [{ HOME: '/home/me', XDG_CACHE_HOME: 'here' }, '/home/me/.cache/artifactstore'],
      [{ HOME: '.' }, undefined],
    ];
    for (const [environment, expected] of cases) assert.equal(read(environment).cacheDirectory, expected);
    assert.equal(read({}, folder({ '.env': 'XDG_CACHE_HOME=/planted\nHOME=/planted' })).cacheDirectory, undefined);
  });
});

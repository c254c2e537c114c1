import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { openStore } from '../../src/compose/open-store.ts';
import { directory, type Environment, folder, problems, read } from './read-in-folder.ts';

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

  test('takes origins as browsers write them', () => {
    const text = 'https://app.example.org, http://localhost:5173,,*';
    assert.deepEqual(read({ ARTIFACTSTORE_CORS_ORIGINS: text }).corsOrigins, ['https://app.example.org', 'http://localhost:5173', '*']);
    for (const wrong of ['app.example.org', 'https://a.example/', 'https://A.example', 'https://a.example:443', 'ftp://a.example', 'null'])
      assert.match(problems({ ARTIFACTSTORE_CORS_ORIGINS: wrong }).message, /ARTIFACTSTORE_CORS_ORIGINS: ".*" is not an origin/, wrong);
  });

  test('has a default for everything', () => {
    const { describe: _, originOf: __, ...config } = read();
    assert.deepEqual(config, {
      database: { kind: 'sqlite', path: join(directory, 'var/artifactstore.db') },
      digestAlgorithm: 'blake3',
      backends: [{ kind: 'local', id: 'local', root: join(directory, 'var/storage') }],
      defaultBackend: 'local',
      routes: [],
      spoolDirectory: join(directory, 'var/spool'),
      smallObjectBytes: 65_536,
      heldBytes: 1_073_741_824,
      misplaced: [],
      secrets: { store: undefined, auth: { method: 'token', tokenRef: '' }, namespace: undefined },
      referenced: {},
      host: '127.0.0.1',
      port: 8000,
      accessConfigPath: undefined,
      allowedHosts: [],
      corsOrigins: [],
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
      sourceToken: undefined,
      sourceTokenFile: undefined,
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
      uploadSeconds: 86_400,
      writeSessions: { objects: 10_000, bytes: 1_099_511_627_776, seconds: 604_800, open: 100 },
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
    const long = folder({ '.env': `A=${'x'.repeat(1_048_576)}` });
    assert.match(problems({}, long).message, /\.env can't be read: it has more than 1048576 bytes\.$/);
  });

  test('knows what would be among the data of the system when it is started in /, and opens nothing with it', async () => {
    assert.deepEqual(read({}, '/').misplaced, ['ARTIFACTSTORE_DATABASE_URL', 'ARTIFACTSTORE_STORAGE_LOCAL_ROOT']);
    const set = { ARTIFACTSTORE_DATABASE_URL: 'postgresql://h/d', ARTIFACTSTORE_STORAGE_LOCAL_ROOT: './var/storage' };
    assert.deepEqual(read(set, '/').misplaced, []);
    const config = { ...read(), misplaced: read({}, '/').misplaced };
    await assert.rejects(openStore(config), { code: 'invalid_configuration', message: /working directory is \/.*STORAGE_LOCAL_ROOT/ });
    assert.ok(!existsSync(join(directory, 'var')));
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

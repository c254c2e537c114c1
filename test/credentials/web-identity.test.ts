import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import type { Credentials } from '../../src/credentials/CREDENTIALS.ts';
import { type WebIdentityOptions, type WebIdentitySettings, webIdentityCredentials } from '../../src/credentials/web-identity.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { type StsBehaviour, type StsServer, startSts } from './sts-server.ts';
import { type VirtualClock, virtualClock } from './virtual-clock.ts';

interface World extends AsyncDisposable {
  readonly sts: StsServer;
  readonly clock: VirtualClock;
  readonly tokenFile: string;
  readonly credentials: Credentials;
  with(settings: Partial<WebIdentitySettings>, options?: WebIdentityOptions): Credentials;
}

async function open(): Promise<World> {
  const clock = virtualClock();
  const sts = await startSts(clock.now);
  const directory = mkdtempSync(join(tmpdir(), 'web-identity-'));
  const tokenFile = join(directory, 'token');
  const token = webToken(clock.now() + 86_400_000);
  sts.tokens.add(token);
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  const make = (settings: Partial<WebIdentitySettings> = {}, options: WebIdentityOptions = {}): Credentials =>
    webIdentityCredentials(
      {
        stsEndpointUrl: sts.url,
        region: 'us-east-1',
        roleArn: sts.roleArn,
        webIdentityTokenFile: tokenFile,
        sessionDurationSeconds: 3600,
        ...settings,
      },
      { ...clock, attempts: 1, ...options },
    );
  return {
    sts,
    clock,
    tokenFile,
    credentials: make(),
    with: make,
    async [Symbol.asyncDispose]() {
      rmSync(directory, { recursive: true });
      await sts[Symbol.asyncDispose]();
    },
  };
}

/** Looks like a token, with a part that must not turn up anywhere. */
function webToken(endsAt: number): string {
  const payload = Buffer.from(JSON.stringify({ iss: 'http://issuer', sub: 'server', exp: Math.floor(endsAt / 1000) })).toString(
    'base64url',
  );
  return `eyJhbGciOiJSUzI1NiJ9.${payload}.s1gnature-${Math.random().toString(36).slice(2)}`;
}

describe('credentials: web identity', () => {
  test('exchanges the token for keys that say when they end, without keys of its own', async () => {
    await using world = await open();
    const { sts, clock, credentials } = world;
    process.env.AWS_ACCESS_KEY_ID = 'MACHINE';
    process.env.AWS_SECRET_ACCESS_KEY = 'machine';
    process.env.AWS_ENDPOINT_URL_STS = 'http://127.0.0.1:1';
    try {
      const keys = await credentials.keys();
      assert.match(keys.accessKeyId, /^[0-9A-F]{30}$/);
      assert.match(keys.secretAccessKey, /^[0-9A-F]{30}$/);
      assert.match(keys.sessionToken ?? '', /^[0-9A-F]{30}$/);
      assert.ok(Math.abs(keys.expiresAtMilliseconds! - clock.now() - 3_600_000) <= 1000);
      assert.equal(await credentials.keys(), keys);
    } finally {
      for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_ENDPOINT_URL_STS']) delete process.env[name];
    }
    assert.equal(sts.requests.length, 1);
    const [{ form, authorization } = { form: {}, authorization: '' }] = sts.requests;
    assert.equal(authorization, undefined);
    assert.equal(form.DurationSeconds, '3600');
    assert.match(form.RoleSessionName ?? '', /^artifactstore-[A-Za-z0-9_=,.@-]+$/);
  });

  test('asks nobody whom the environment of the machine names', async () => {
    await using world = await open();
    process.env.AWS_ENDPOINT_URL_STS = world.sts.url;
    process.env.AWS_ENDPOINT_URL = world.sts.url;
    try {
      // There is no such region, so that nobody is asked at all.
      await assert.rejects(
        world.with({ stsEndpointUrl: undefined, region: 'xx-nowhere-1' }).keys(),
        /AWS in xx-nowhere-1 cannot be reached/,
      );
    } finally {
      for (const name of ['AWS_ENDPOINT_URL_STS', 'AWS_ENDPOINT_URL']) delete process.env[name];
    }
    assert.equal(world.sts.requests.length, 0);
  });

  test('reads the file anew for each exchange, and renews behind while the old keys are given', async () => {
    await using world = await open();
    const { sts, clock, credentials, tokenFile } = world;
    const first = await credentials.keys();
    const next = webToken(clock.now() + 86_400_000);
    sts.tokens.clear();
    sts.tokens.add(next);
    writeFileSync(tokenFile, next);
    clock.advance(2_900_000);
    assert.equal(await credentials.keys(), first);
    await until(async () => (await credentials.keys()) !== first);
    assert.equal(sts.requests.length, 2);
    assert.equal(sts.requests[1]?.form.WebIdentityToken, next);
  });

  test('asks once for all who wait, however slow the service is', async () => {
    await using world = await open();
    world.sts.behaviour = { delayMilliseconds: 100 };
    const all = await Promise.all(Array.from({ length: 50 }, () => world.credentials.keys()));
    assert.equal(new Set(all).size, 1);
    assert.equal(world.sts.requests.length, 1);
  });

  test('exchanges anew what the store refused', async () => {
    await using world = await open();
    const first = await world.credentials.keys();
    world.clock.advance(30_000);
    world.credentials.refused(first);
    const second = await world.credentials.keys();
    assert.notEqual(second.accessKeyId, first.accessKeyId);
    assert.equal(world.sts.requests.length, 2);
  });

  test('lives with short sessions, in real time', async () => {
    await using world = await open();
    world.sts.behaviour = { expiration: () => new Date(Date.now() + 1200) };
    const credentials = world.with({ sessionDurationSeconds: 900 }, { now: Date.now, wait: (milliseconds) => delay(milliseconds) });
    const seen = new Set<string>();
    for (const start = Date.now(); Date.now() - start < 1900; await delay(50)) {
      const asked = Date.now();
      const { accessKeyId, expiresAtMilliseconds } = await credentials.keys();
      assert.ok(expiresAtMilliseconds! > asked);
      seen.add(accessKeyId);
    }
    assert.ok(seen.size >= 2 && world.sts.requests.length <= 3, `${seen.size} keys, ${world.sts.requests.length} exchanges`);
  });

  test('goes by what it asked for where the clock of the service and ours disagree', async () => {
    await using world = await open();
    const { sts, clock } = world;
    for (const ahead of [-86_400_000, 86_400_000]) {
      sts.behaviour = { expiration: (seconds) => new Date(clock.now() + ahead + 1000 * seconds) };
      const keys = await world.with({}).keys();
      assert.equal(keys.expiresAtMilliseconds, clock.now() + 3_600_000);
    }
  });

  test('makes any name one that services take', async () => {
    await using world = await open();
    for (const [sessionName, sent] of [
      ['x', 'artifactstore-x'],
      ['', 'artifactstore-'],
      ['rack 7/host:ü', 'rack-7-host--'],
      ['n'.repeat(200), 'n'.repeat(64)],
    ] as const) {
      await world.with({ sessionName }).keys();
      assert.equal(world.sts.requests.at(-1)?.form.RoleSessionName, sent);
    }
  });

  test('tries more than once before it gives up, where that may help', async () => {
    await using world = await open();
    world.sts.behaviour = { answer: 'unavailable' };
    const waiting = world.with({}, { attempts: 3 }).keys();
    await until(async () => world.sts.requests.length >= 2);
    world.sts.behaviour = {};
    assert.ok((await waiting).accessKeyId);
  });
});

test('credentials: web identity asks again where others came at the same time, and not for ever', async () => {
  await using world = await open();
  world.sts.behaviour = { overtaken: 2 };
  assert.ok((await world.with({}, { attempts: 3 }).keys()).accessKeyId);
  assert.equal(world.sts.requests.length, 3);
  world.sts.behaviour = { overtaken: 3 };
  await assert.rejects(world.with({}, { attempts: 3 }).keys(), /409 BucketAlreadyExists/);
});

describe('credentials: web identity, refusals', () => {
  const endpoint = 'ARTIFACTSTORE_S3_STS_ENDPOINT_URL';
  const token = 'ARTIFACTSTORE_S3_WEB_IDENTITY_TOKEN_FILE';
  const role = 'ARTIFACTSTORE_S3_ROLE_ARN';
  const duration = 'ARTIFACTSTORE_S3_SESSION_DURATION_SECONDS';

  const answers: readonly (readonly [StsBehaviour, setting: string, message: RegExp])[] = [
    [{ answer: 'unavailable' }, endpoint, /503 ServiceUnavailable/],
    [{ answer: 'web page' }, endpoint, /answers \(200\) otherwise than a security token service/],
    [{ answer: 'nothing found' }, endpoint, /answers \(404\) otherwise than a security token service/],
    [{ answer: 'no keys' }, endpoint, /answers \(200\) otherwise than a security token service/],
    [{ answer: 'silence' }, endpoint, /cannot be reached \(ETIMEDOUT\)/],
    [{ answer: 'half an answer' }, endpoint, /cannot be reached/],
    [{ answer: 'token repeated' }, token, /400 InvalidIdentityToken/],
    [{ maximumSeconds: 900 }, duration, /400 ValidationError\) a session of 3600 seconds/],
  ];
  for (const [behaviour, setting, message] of answers)
    test(`${behaviour.answer ?? 'a session that is too long'}: names ${setting}`, async () => {
      await using world = await open();
      world.sts.behaviour = behaviour;
      const impatient = { connectMilliseconds: 200, answerMilliseconds: 200 };
      const waits = behaviour.answer === 'silence' || behaviour.answer === 'half an answer';
      await refuses(world, world.with({}, waits ? impatient : {}), setting, message);
    });

  for (const dialect of ['aws', 'ceph'] as const) {
    test(`a refused token, an unknown role and too long a session are told apart, as ${dialect} answers`, async () => {
      await using world = await open();
      world.sts.behaviour = { dialect };
      await refuses(world, world.with({ roleArn: 'arn:aws:iam:::role/another-role' }), role, /404 NoSuchEntity\) the role \S+another-role/);
      writeFileSync(world.tokenFile, webToken(world.clock.now() + 1000));
      await refuses(world, world.with({}), token, /403 AccessDenied\) the token, or the role \S+ does not trust it/);
      writeFileSync(world.tokenFile, webToken(Date.UTC(2001, 1, 3)));
      await refuses(world, world.with({}), token, /403 AccessDenied\): the token ended at 2001-02-03T00:00:00\.000Z/);
      writeFileSync(world.tokenFile, 'not.a.token');
      await refuses(world, world.with({}), token, /403 AccessDenied\) the token/);
    });
  }

  test('a session that Ceph finds too long is about its duration', async () => {
    await using world = await open();
    world.sts.behaviour = { dialect: 'ceph', maximumSeconds: 900 };
    await refuses(world, world.credentials, duration, /400 InvalidArgument\) a session of 3600 seconds/);
  });

  test('a token file that is missing, unreadable or empty is named, and nobody is asked', async () => {
    await using world = await open();
    await refuses(world, world.with({ webIdentityTokenFile: `${world.tokenFile}-gone` }), token, /token-gone cannot be read \(ENOENT\)/);
    await refuses(world, world.with({ webIdentityTokenFile: tmpdir() }), token, /\(EISDIR\)/);
    writeFileSync(world.tokenFile, '\n');
    await refuses(world, world.with({}), token, /is empty/);
    assert.equal(world.sts.requests.length, 0);
    const late = world.with({});
    await refuses(world, late, token, /is empty/);
    writeFileSync(world.tokenFile, [...world.sts.tokens][0]!);
    world.clock.advance(1000);
    assert.ok((await late.keys()).accessKeyId, 'and the file is looked for again');
  });

  test('an address where nobody answers is named', async () => {
    await using world = await open();
    await refuses(
      world,
      world.with({ stsEndpointUrl: 'http://127.0.0.1:1' }),
      endpoint,
      /127\.0\.0\.1:1 cannot be reached \(ECONNREFUSED\)/,
    );
    await refuses(
      world,
      world.with({ stsEndpointUrl: world.sts.url.replace('http', 'https') }),
      endpoint,
      /\(EPROTO\): https was asked for/,
    );
  });

  test('an address that answers with something else than HTTP is named', async () => {
    await using world = await open();
    const server = createServer((socket) => socket.end('220 mail.example ESMTP\r\n')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    try {
      const stsEndpointUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await refuses(world, world.with({ stsEndpointUrl }), endpoint, /cannot be reached \(HPE_/);
    } finally {
      server.close();
    }
  });
});

/** Fails with `storage_unavailable` about this setting, and without a word of the token, wherever one looks. */
async function refuses(world: World, credentials: Credentials, setting: string, message: RegExp): Promise<void> {
  await assert.rejects(credentials.keys(), (error) => {
    assert.ok(isArtifactstoreError(error, 'storage_unavailable'), inspect(error));
    assert.match(error.message, message);
    assert.ok(error.message.includes(setting), error.message);
    assert.equal(error.field, setting);
    const everything = inspect(error, { depth: 20, showHidden: true, maxStringLength: null });
    for (const token of [...world.sts.tokens, ...world.sts.requests.map(({ form }) => form.WebIdentityToken)])
      assert.ok(token === undefined || !everything.includes(token), 'the token is shown');
    return true;
  });
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 200; turn += 1) {
    if (await condition()) return;
    await delay(10);
  }
  assert.fail('it does not come');
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

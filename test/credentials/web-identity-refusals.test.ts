import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import type { Credentials } from '../../src/credentials/CREDENTIALS.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import type { StsBehaviour } from './sts-server.ts';
import { openWorld, type World, webToken } from './web-identity-world.ts';

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
      await using world = await openWorld();
      world.sts.behaviour = behaviour;
      const impatient = { connectMilliseconds: 200, answerMilliseconds: 200 };
      const waits = behaviour.answer === 'silence' || behaviour.answer === 'half an answer';
      await refuses(world, world.with({}, waits ? impatient : {}), setting, message);
    });

  for (const dialect of ['aws', 'ceph'] as const) {
    test(`a refused token, an unknown role and too long a session are told apart, as ${dialect} answers`, async () => {
      await using world = await openWorld();
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

  test('MinIO says one thing of the token, the role and the duration, so all three are named', async () => {
    await using world = await openWorld();
    world.sts.behaviour = { dialect: 'minio' };
    writeFileSync(world.tokenFile, webToken(world.clock.now() + 1000));
    await refuses(
      world,
      world.with({}),
      token,
      /400 InvalidParameterValue\) a session .* the role \S+: the token, the role or the duration/,
    );
    writeFileSync(world.tokenFile, webToken(Date.UTC(2001, 1, 3)));
    await refuses(world, world.with({}), token, /\): the token ended at 2001-02-03T00:00:00\.000Z/);
  });

  for (const dialect of ['aws', 'ceph', 'minio'] as const)
    test(`that there is no role is named first where one is wanted, as ${dialect} answers`, async () => {
      await using world = await openWorld();
      world.sts.behaviour = { dialect };
      await refuses(world, world.with({ roleArn: undefined }), role, /the token, without a role: it may want one/);
    });

  test('a session that Ceph finds too long is about its duration', async () => {
    await using world = await openWorld();
    world.sts.behaviour = { dialect: 'ceph', maximumSeconds: 900 };
    await refuses(world, world.credentials, duration, /400 InvalidArgument\) a session of 3600 seconds/);
  });

  test('a token file that is missing, unreadable or empty is named, and nobody is asked', async () => {
    await using world = await openWorld();
    await refuses(world, world.with({ webIdentityTokenFile: `${world.tokenFile}-gone` }), token, /token-gone cannot be read \(ENOENT\)/);
    await refuses(world, world.with({ webIdentityTokenFile: tmpdir() }), token, /is a directory/);
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
    await using world = await openWorld();
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
    await using world = await openWorld();
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

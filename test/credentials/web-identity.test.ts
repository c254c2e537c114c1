import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { openWorld, webToken } from './web-identity-world.ts';

describe('credentials: web identity', () => {
  test('exchanges the token for keys that say when they end, without keys of its own', async () => {
    await using world = await openWorld();
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

  test('names no role where the service reads from the token what it allows', async () => {
    await using world = await openWorld();
    world.sts.behaviour = { dialect: 'minio', withoutRole: true };
    assert.ok((await world.with({ roleArn: undefined }).keys()).sessionToken);
    assert.equal('RoleArn' in world.sts.requests[0]!.form, false);
  });

  test('asks nobody whom the environment of the machine names', async () => {
    await using world = await openWorld();
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
    await using world = await openWorld();
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
    await using world = await openWorld();
    world.sts.behaviour = { delayMilliseconds: 100 };
    const all = await Promise.all(Array.from({ length: 50 }, () => world.credentials.keys()));
    assert.equal(new Set(all).size, 1);
    assert.equal(world.sts.requests.length, 1);
  });

  test('exchanges anew what the store refused', async () => {
    await using world = await openWorld();
    const first = await world.credentials.keys();
    world.clock.advance(30_000);
    world.credentials.refused(first);
    const second = await world.credentials.keys();
    assert.notEqual(second.accessKeyId, first.accessKeyId);
    assert.equal(world.sts.requests.length, 2);
  });

  test('lives with short sessions, in real time', async () => {
    await using world = await openWorld();
    world.sts.behaviour = { expiration: () => new Date(Date.now() + 1200) };
    const credentials = world.with({ sessionDurationSeconds: 900 }, { now: Date.now, wait: (milliseconds) => delay(milliseconds) });
    const seen = new Set<string>();
    const start = Date.now();
    for (; Date.now() - start < 1900 || seen.size < 2; await delay(50)) {
      const asked = Date.now();
      const { accessKeyId, expiresAtMilliseconds } = await credentials.keys();
      assert.ok(expiresAtMilliseconds! > asked);
      seen.add(accessKeyId);
    }
    const most = 2 + (Date.now() - start) / 1000;
    assert.ok(world.sts.requests.length <= most, `${seen.size} keys, ${world.sts.requests.length} exchanges`);
  });

  test('goes by what it asked for where the clock of the service and ours disagree', async () => {
    await using world = await openWorld();
    const { sts, clock } = world;
    for (const ahead of [-86_400_000, 86_400_000]) {
      sts.behaviour = { expiration: (seconds) => new Date(clock.now() + ahead + 1000 * seconds) };
      const keys = await world.with({}).keys();
      assert.equal(keys.expiresAtMilliseconds, clock.now() + 3_600_000);
    }
  });

  test('makes any name one that services take', async () => {
    await using world = await openWorld();
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
    await using world = await openWorld();
    world.sts.behaviour = { answer: 'unavailable' };
    const waiting = world.with({}, { attempts: 10 }).keys();
    await until(async () => world.sts.requests.length >= 2);
    world.sts.behaviour = {};
    assert.ok((await waiting).accessKeyId);
  });
});

test('credentials: web identity asks again where others came at the same time, and not for ever', async () => {
  await using world = await openWorld();
  world.sts.behaviour = { overtaken: 2 };
  assert.ok((await world.with({}, { attempts: 3 }).keys()).accessKeyId);
  assert.equal(world.sts.requests.length, 3);
  world.sts.behaviour = { overtaken: 3 };
  await assert.rejects(world.with({}, { attempts: 3 }).keys(), /409 BucketAlreadyExists/);
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 3_000; turn += 1) {
    if (await condition()) return;
    await delay(10);
  }
  assert.fail('it does not come');
}

function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

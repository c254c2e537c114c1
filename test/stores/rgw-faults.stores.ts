import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Health } from '../../src/registry/REGISTRY.ts';
import { describeTree } from '../cli/tree.ts';
import { finished, type RunningServer, type Workplace } from '../cli/workplace.ts';
import { type BucketContent, contentOf } from './bucket-content.ts';
import { type Issuer, longestTokenSeconds, startIssuer } from './issuer.ts';
import { openPlace } from './place.ts';
import { type Rgw, startRgw, whyNoRgw } from './rgw.ts';
import { prepareWebIdentity, type WebIdentity } from './web-identity.ts';

const mebibyte = 1_048_576;
const headers = { authorization: 'Bearer cli-test-token', 'content-type': 'application/octet-stream' };

interface Refused {
  readonly code: string;
  readonly detail: string;
}

describe('Ceph RGW under a running server', { skip: whyNoRgw() ?? false }, () => {
  const opened = new AsyncDisposableStack();
  let rgw: Rgw;
  let issuer: Issuer;
  before(async () => {
    rgw = opened.use(await startRgw());
    issuer = opened.use(await startIssuer(longestTokenSeconds));
  });
  after(() => opened.disposeAsync());

  interface World extends Disposable {
    readonly place: Workplace;
    readonly server: RunningServer;
    readonly bucket: string;
    readonly identity: WebIdentity;
  }

  async function open(kind: 'static' | 'role', environment: Readonly<Record<string, string>> = {}): Promise<World> {
    const bucket = await rgw.createBucket();
    const identity = opened.use(await prepareWebIdentity(rgw, issuer, bucket));
    // The faults strike the direct way: what is held waits in the database for a gateway that is away.
    const direct = { ARTIFACTSTORE_SMALL_OBJECT_BYTES: '0', ...environment };
    const place = openPlace(rgw, bucket, { identity: kind === 'role' ? identity : undefined, environment: direct });
    try {
      return {
        place,
        bucket,
        identity,
        server: await place.serve('serve', '--port', '0'),
        [Symbol.dispose]: () => place[Symbol.dispose](),
      };
    } catch (error) {
      place[Symbol.dispose]();
      throw error;
    }
  }

  async function newPackage({ server }: World): Promise<string> {
    const body = JSON.stringify({ name: 'n', producer: 'p', subject: 's', retention_class: 'raw-evidence' });
    const response = await fetch(`${server.url}/packages`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
    });
    assert.equal(response.status, 201);
    return ((await response.json()) as { readonly id: string }).id;
  }

  const putFile = ({ server }: World, id: string, path: string, body: Uint8Array | Readable): Promise<Response> =>
    fetch(`${server.url}/packages/${id}/files/${path}`, { method: 'PUT', headers, body: body as never, duplex: 'half' });

  /** Undefined where the server closed the connection, which may be told before its answer is read. */
  const putSlowly = async (world: World, id: string, bytes: AsyncGenerator<Uint8Array>): Promise<Response | undefined> => {
    try {
      return await putFile(world, id, 'large', Readable.from(bytes));
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
      assert.ok(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(String(code)), String(code));
      return undefined;
    }
  };

  const healthOf = async ({ server }: World): Promise<Health> =>
    (await (await fetch(`${server.url}/health`, { headers })).json()) as Health;

  async function untilHealth(world: World, status: Health['status']): Promise<Health> {
    for (const until = Date.now() + 120_000; ; await sleep(100)) {
      const health = await healthOf(world);
      if (health.status === status) return health;
      assert.ok(Date.now() < until, `still ${health.status}: ${health.backend.detail}`);
    }
  }

  /** What failed is removed behind its answer, and by a busy gateway later than it is waited for. */
  async function untilContent({ bucket }: World, isSo: (content: BucketContent) => boolean): Promise<void> {
    for (const until = Date.now() + 60_000; ; await sleep(100)) {
      const content = await contentOf(rgw, bucket);
      if (isSo(content)) return;
      assert.ok(Date.now() < until, JSON.stringify(content));
    }
  }

  async function assertRefused(response: Response, status: number, code: string): Promise<Refused> {
    const problem = (await response.json()) as Refused;
    assert.deepEqual([response.status, problem.code], [status, code], problem.detail);
    return problem;
  }

  test('keys that live for three seconds are renewed while much is verified', async () => {
    using world = await open('role', { ARTIFACTSTORE_S3_SESSION_DURATION_SECONDS: '3' });
    const { place } = world;
    const files = Array.from({ length: 40 }, (_, index) => [`tree/${index}`, randomBytes(100_000 + index)] as const);
    place.write(Object.fromEntries(files));
    await place.json('push', 'tree');
    const begun = Date.now();
    const verified = await place.json('storage', 'verify', '--backend', 's3', '--rate', '500KB', '--jobs', '4');
    assert.deepEqual([verified.ok, verified.objects], [true, 40]);
    assert.ok(Date.now() - begun > 6000, 'it took two lives of the keys at least');
  });

  test('a token that was not replaced in time ends the keys, and a new one brings them back', async () => {
    using world = await open('role', { ARTIFACTSTORE_S3_SESSION_DURATION_SECONDS: '2' });
    await untilHealth(world, 'ok');
    await world.identity.writeToken(await issuer.sign('server', -60));
    await sleep(2500);
    const health = await untilHealth(world, 'degraded');
    assert.match(health.backend.detail, /ARTIFACTSTORE_S3_WEB_IDENTITY_TOKEN_FILE/);
    await world.identity.writeToken();
    await untilHealth(world, 'ok');
  });

  test('a role that may do nothing any more is 503 and degraded health, until it may again', async () => {
    using world = await open('role');
    const id = await newPackage(world);
    assert.equal((await putFile(world, id, 'before', Buffer.from('before'))).status, 201);
    await world.identity.removeRolePolicy();
    const response = await putFile(world, id, 'after', Buffer.from('after'));
    assert.notEqual(response.headers.get('retry-after'), null);
    const { detail } = await assertRefused(response, 503, 'storage_unavailable');
    assert.doesNotMatch(detail, /eyJ/);
    const read = await fetch(`${world.server.url}/packages/${id}/files/before`, { headers });
    await assertRefused(read, 503, 'storage_unavailable');
    const health = await untilHealth(world, 'degraded');
    assert.match(health.backend.detail, /ARTIFACTSTORE_S3_ROLE_ARN/);
    assert.equal(health.backend.failed_locations, 0);
    await world.identity.putRolePolicy();
    await untilHealth(world, 'ok');
    assert.equal((await putFile(world, id, 'after', Buffer.from('after'))).status, 201);
  });

  test('a gateway that dies in the middle of an upload and comes back costs a repetition at most', async () => {
    using world = await open('static');
    const id = await newPackage(world);
    const bytes = randomBytes(30 * mebibyte);
    let restarted: Promise<void> | undefined;
    async function* slowly(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.byteLength; at += mebibyte) {
        yield bytes.subarray(at, at + mebibyte);
        if (at === 14 * mebibyte) {
          await rgw.kill();
          restarted = sleep(300).then(() => rgw.restart());
        }
        await sleep(20);
      }
    }
    const response = await putSlowly(world, id, slowly());
    await restarted;
    if (response?.status !== 201) {
      if (response !== undefined) {
        assert.notEqual(response.headers.get('retry-after'), null);
        await assertRefused(response, 503, 'storage_unavailable');
      }
      assert.equal((await putFile(world, id, 'large', bytes)).status, 201);
    }
    const back = await fetch(`${world.server.url}/packages/${id}/files/large`, { headers });
    assert.ok(Buffer.from(await back.arrayBuffer()).equals(bytes));
    await untilContent(world, ({ bytes, keys }) => bytes === 30 * mebibyte && keys.length === 1);
  });

  test('a gateway that is away for seconds in the middle of a push costs nothing', async () => {
    for (let attempt = 1; ; attempt++) {
      using world = await open('static');
      const { place } = world;
      place.write({ 'tree/large': randomBytes(40 * mebibyte), 'tree/small': 'small' });
      let isPushing = true;
      const pushing = finished(place.start('push', 'tree', '--json')).finally(() => {
        isPushing = false;
      });
      // The upload has begun when parts of it lie in the bucket.
      while (isPushing && (await contentOf(rgw, world.bucket)).unfinished === 0) await sleep(10);
      const isUnderWay = isPushing;
      if (isUnderWay) {
        await rgw.kill();
        await sleep(3000);
        await rgw.restart();
      }
      const pushed = await pushing;
      assert.equal(pushed.code, 0, pushed.stderr);
      assert.ok(isUnderWay || attempt < 10, 'no upload was ever seen under way');
      // All of it may have gone there while this process was not looking: then nothing was away.
      if (!isUnderWay) continue;
      const { package_id } = JSON.parse(pushed.stdout) as { readonly package_id: string };
      await place.json('pull', package_id, 'pulled');
      assert.deepEqual(describeTree(place.path('pulled')), describeTree(place.path('tree')));
      await untilContent(world, ({ bytes, keys }) => bytes === 40 * mebibyte + 5 && keys.length === 2);
      return;
    }
  });

  test('a gateway that stays away is 503, and nothing is left of the upload when it is back', async () => {
    using world = await open('static');
    const { place } = world;
    const id = await newPackage(world);
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < 24; sent++) {
        yield randomBytes(mebibyte);
        if (sent === 12) await rgw.kill();
      }
    }
    const response = await putSlowly(world, id, source());
    await assertRefused(response ?? (await putFile(world, id, 'large', Buffer.from('again'))), 503, 'storage_unavailable');
    const health = await untilHealth(world, 'degraded');
    assert.match(health.backend.detail, /ARTIFACTSTORE_S3_ENDPOINT_URL/);
    assert.equal((await fetch(`${world.server.url}/readyz`)).status, 503);
    await rgw.restart();
    await untilHealth(world, 'ok');
    assert.equal((await putFile(world, id, 'large', Buffer.from('now'))).status, 201);
    // The upload in parts that could not be given up is young: it is left to a later collection.
    await place.json('retention', 'gc');
    await untilContent(world, ({ bytes, keys, unfinished }) => bytes === 3 && keys.length === 1 && unfinished <= 1);
  });

  test('a full quota is 507, reads go on, and room brings writes back', async () => {
    using world = await open('static');
    const { place } = world;
    const id = await newPackage(world);
    const first = randomBytes(3 * mebibyte);
    assert.equal((await putFile(world, id, 'first', first)).status, 201);
    await rgw.limit({ bucket: world.bucket }, 4 * mebibyte);
    for (const size of [2 * mebibyte, 20 * mebibyte])
      await assertRefused(await putFile(world, id, `second ${size}`, randomBytes(size)), 507, 'storage_full');
    const read = await fetch(`${world.server.url}/packages/${id}/files/first`, { headers });
    assert.ok(Buffer.from(await read.arrayBuffer()).equals(first));
    place.write({ 'tree/large': randomBytes(9 * mebibyte) });
    const pushed = await place.run('push', 'tree');
    assert.deepEqual([pushed.code, /storage_full/.test(pushed.stderr)], [1, true], pushed.stderr);
    await rgw.limit({ bucket: world.bucket }, undefined);
    const { package_id } = await place.json<{ readonly package_id: string }>('push', 'tree');
    await place.json('pull', package_id, 'pulled');
    assert.deepEqual(describeTree(place.path('pulled')), describeTree(place.path('tree')));
    await untilContent(world, ({ unfinished }) => unfinished === 0);
  });
});

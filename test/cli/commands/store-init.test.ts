import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { openStrictStore, type StrictStore } from '../../s3-stand-in/strict-store.ts';
import { openWorkplace, type Workplace } from '../workplace.ts';

const secretAccessKey = 'hush/secret+value-1';

describe('store init', () => {
  let store: StrictStore;
  let place: Workplace;
  const outputs: string[] = [];
  before(async () => {
    store = await openStrictStore({ secretAccessKey, foreignBuckets: ['theirs'] });
    place = openWorkplace();
  });
  after(async () => {
    place[Symbol.dispose]();
    await store.close();
    for (const output of outputs) assert.equal(output.includes(secretAccessKey), false);
  });

  async function init(change: Readonly<Record<string, string>> = {}, ...args: readonly string[]) {
    place.write({ 'artifacts.env': settingsOf(store, change) });
    const finished = await place.run('store', 'init', '--settings', 'artifacts.env', ...args);
    outputs.push(finished.stdout, finished.stderr);
    return finished;
  }

  test('makes the bucket, and a second run sends nothing that could change anything', async () => {
    const dry = await init({}, '--dry-run');
    assert.deepEqual([dry.code, dry.stdout], [0, `missing bucket cosmo at ${store.url}: it would be made\n`]);
    assert.equal(store.requests.CreateBucket, undefined);
    const first = await init();
    assert.deepEqual([first.code, first.stdout], [0, `made bucket cosmo at ${store.url}\n`]);
    assert.equal(store.requests.CreateBucket, 1);
    const before = { ...store.requests };
    const second = await init();
    assert.deepEqual([second.code, second.stdout], [0, `there bucket cosmo at ${store.url}: nothing was changed\n`]);
    const sent = Object.keys(store.requests).filter((name) => store.requests[name] !== before[name]);
    assert.deepEqual(sent, ['ListObjectsV2']);
    const { stdout } = await init({}, '--json');
    assert.deepEqual(
      { ...JSON.parse(stdout), seconds: 0 },
      {
        store: { endpoint: store.url, region: 'us-east-1', bucket: 'cosmo', server: null },
        bucket: 'there',
        requests: { reading: 1, writing: 0 },
        seconds: 0,
      },
    );
  });

  test('says what is in the way, each in its own words with the setting to look at', async () => {
    const cases: readonly (readonly [Readonly<Record<string, string>>, number, RegExp])[] = [
      [{ S3_SECRET_ACCESS_KEY: 'hush-other-value' }, 6, /the signature was refused; look at S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY/],
      [{ S3_ACCESS_KEY_ID: 'AKIAUNKNOWN' }, 6, /the access key is not known there; look at S3_ACCESS_KEY_ID/],
      [{ S3_REGION: 'elsewhere' }, 6, /look at S3_REGION|set S3_REGION/],
      [{ COSMO_S3_BUCKET: 'theirs' }, 6, /the keys .*may not do that; look at S3_ACCESS_KEY_ID/],
      [{ S3_ENDPOINT_URL: 'http://127.0.0.1:9' }, 6, /nothing listens there; look at S3_ENDPOINT_URL and at the store/],
      [{ S3_ENDPOINT_URL: 'http://nowhere.invalid' }, 6, /host|looked up/],
      [{ S3_ENDPOINT_URL: store.url.replace('http:', 'https:') }, 6, /S3_ENDPOINT_URL/],
    ];
    for (const [change, code, message] of cases) {
      const { code: ended, stderr, stdout } = await init(change);
      assert.deepEqual([ended, stdout], [code, ''], stderr);
      assert.match(stderr, message);
    }
  });

  test("another service's page is no store, whatever its status", async () => {
    const page = '<html><title>Welcome home</title></html>';
    const pages: readonly (readonly [RequestListener, RegExp])[] = [
      [
        (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(page),
        /\(200: "Welcome home"\) is not that of an S3 store/,
      ],
      [
        (_, response) => response.writeHead(404, { 'content-type': 'text/html' }).end(page),
        /\(404: "Welcome home"\) is not that of an S3 store/,
      ],
      [(_, response) => response.writeHead(200).end('ok'), /\(200.*\) is not that of an S3 store/],
      [
        (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/login?token=hush' }).end(),
        /redirects \(302\) to http:\/\/127\.0\.0\.1:1\/login;/,
      ],
      [(_, response) => response.writeHead(502).end('bad gateway'), /a proxy in front of the store answered 502/],
    ];
    for (const [listener, message] of pages) {
      const methods: unknown[] = [];
      const server = createServer((request, response) => {
        methods.push(request.method);
        listener(request, response);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { code, stderr } = await init({ S3_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
      server.closeAllConnections();
      server.close();
      assert.equal(code, 6, stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /hush/);
      assert.ok(methods.length > 0);
      assert.ok(
        methods.every((method) => method === 'GET'),
        'something was to be changed there',
      );
    }
  });

  test('a store that comes up meanwhile is waited for', async () => {
    const { port } = new URL(store.url);
    await store.close();
    const waiting = init({}, '--wait', '30');
    const late = createServer((_, response) => response.writeHead(503).end());
    await new Promise<void>((resolve) => late.listen(Number(port), '127.0.0.1', resolve));
    late.once('request', () => {
      late.removeAllListeners('request');
      late.on('request', (_, response) => response.writeHead(200).end('<ListBucketResult></ListBucketResult>'));
    });
    const { code, stdout, stderr } = await waiting;
    late.closeAllConnections();
    late.close();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^there bucket cosmo/);
  });
});

/** A file of settings of this store, with some of them changed. */
function settingsOf(store: StrictStore, change: Readonly<Record<string, string>>): string {
  const settings = {
    S3_ENDPOINT_URL: store.url,
    S3_REGION: store.region,
    S3_ACCESS_KEY_ID: store.accessKeyId,
    S3_SECRET_ACCESS_KEY: secretAccessKey,
    S3_FORCE_PATH_STYLE: 'true',
    COSMO_S3_BUCKET: 'cosmo',
    ...change,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import { openS3Storage, type S3Options } from '../../src/storage/s3/s3.ts';
import type { S3Settings } from '../../src/storage/s3/settings.ts';
import { selfSignedCertificate } from './certificate.ts';
import { freePorts } from './free-ports.ts';
import { type Rgw, startRgw, whyNoRgw } from './rgw.ts';
import { credentialsOf, settingsOf } from './settings-of.ts';

describe('Ceph RGW: what is configured wrongly is named', { skip: whyNoRgw() ?? false }, () => {
  const opened = new AsyncDisposableStack();
  let rgw: Rgw;
  let bucket: string;
  before(async () => {
    rgw = opened.use(await startRgw());
    bucket = await rgw.createBucket();
  });
  after(() => opened.disposeAsync());

  /** What each kind of call says; all of them, since each has an answer of its own. */
  async function assertRefused(changes: Partial<S3Settings>, said: RegExp, options: S3Options = {}): Promise<void> {
    const storage = openS3Storage(settingsOf(rgw, bucket, changes), { attempts: 1, ...options });
    const secret = (await (changes.credentials ?? credentialsOf(rgw.keys)).keys()).secretAccessKey;
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('bytes');
    }
    const calls: Readonly<Record<string, () => Promise<unknown>>> = {
      put: () => storage.put('k', source()),
      get: async () => await storage.get('k'),
      head: async () => await storage.head('k'),
      list: () => Array.fromAsync(storage.list('')),
      delete: () => storage.delete('k'),
      reclaim: () => storage.reclaim(0),
    };
    try {
      for (const [name, call] of Object.entries(calls))
        await assert.rejects(call(), (error) => {
          assert.ok(isArtifactstoreError(error, 'storage_unavailable'), `${name}: ${error}`);
          assert.match(error.message, said, name);
          assert.ok(!error.message.includes(secret), name);
          return true;
        });
      const health = await storage.health();
      assert.equal(health.healthy, false);
      assert.match(health.detail, said);
    } finally {
      storage.close();
    }
  }

  /** The gateway is told of what became of a user, and hung while its daemon stood still: either takes it a moment. */
  async function untilHealthy(expected: boolean, changes: Partial<S3Settings> = {}): Promise<void> {
    const storage = openS3Storage(settingsOf(rgw, bucket, changes));
    try {
      for (const until = Date.now() + 60_000; ; await sleep(100)) {
        const { healthy, detail } = await storage.health();
        if (healthy === expected) return;
        assert.ok(Date.now() < until, detail);
      }
    } finally {
      storage.close();
    }
  }

  async function listening(server: Server): Promise<string> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    opened.defer(() => void server.close());
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test('a wrong secret', async () => {
    await assertRefused(
      { credentials: credentialsOf({ ...rgw.keys, secretAccessKey: 'another0000000000000000000000000000000000' }) },
      /ARTIFACTSTORE_S3_(SECRET|ACCESS)_KEY_REF/,
    );
  });

  test('an access key that nobody has', async () => {
    await assertRefused({ credentials: credentialsOf({ ...rgw.keys, accessKeyId: 'NOBODY' }) }, /ARTIFACTSTORE_S3_ACCESS_KEY_REF/);
  });

  test('the keys of somebody else', async () => {
    const { keys } = await rgw.createUser();
    await assertRefused({ credentials: credentialsOf(keys) }, /ARTIFACTSTORE_S3_ACCESS_KEY_REF/);
  });

  test('the keys of a user who is suspended', async () => {
    await rgw.suspend(rgw.user.id);
    try {
      await untilHealthy(false);
      await assertRefused({}, /ARTIFACTSTORE_S3_ACCESS_KEY_REF/);
    } finally {
      await rgw.enable(rgw.user.id);
    }
    await untilHealthy(true);
  });

  test('a bucket that is not there, also where a key of it is asked for', async () => {
    await assertRefused({ bucket: 'bucket-of-nobody' }, /bucket-of-nobody.*ARTIFACTSTORE_S3_BUCKET/);
  });

  test('a bucket that cannot be', async () => {
    await assertRefused({ bucket: 'No_Bucket!' }, /ARTIFACTSTORE_S3_BUCKET/);
  });

  test('https where there is none', async () => {
    await assertRefused({ endpointUrl: rgw.url.replace('http:', 'https:') }, /most likely plain http.*ARTIFACTSTORE_S3_ENDPOINT_URL/);
  });

  async function listeningWithTls(): Promise<string> {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const certificate = selfSignedCertificate(publicKey, privateKey, '127.0.0.1').toString('base64');
    const cert = `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`;
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const server = createTlsServer({ cert, key }, (socket) => socket.on('error', () => undefined).end());
    server.on('tlsClientError', () => undefined);
    return await listening(server);
  }

  test('a certificate that nobody vouches for', async () => {
    await assertRefused(
      { endpointUrl: `https://${await listeningWithTls()}` },
      /self-signed.*NODE_EXTRA_CA_CERTS.*ARTIFACTSTORE_S3_ENDPOINT_URL/,
    );
  });

  test('http where there is only TLS', async () => {
    await assertRefused({ endpointUrl: `http://${await listeningWithTls()}` }, /ARTIFACTSTORE_S3_ENDPOINT_URL/);
  });

  test('a port where nobody listens', async () => {
    const endpointUrl = `http://127.0.0.1:${await freePorts(1)}`;
    await assertRefused({ endpointUrl }, /nothing listens there; look at ARTIFACTSTORE_S3_ENDPOINT_URL/);
  });

  test('a name that nobody knows', async () => {
    await assertRefused({ endpointUrl: 'http://store.invalid' }, /ARTIFACTSTORE_S3_ENDPOINT_URL/);
  });

  test('a web site', async () => {
    const page = '<!doctype html><html><head><title>Welcome</title></head><body><p>Hello<br></body></html>';
    const site = createHttpServer((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(page));
    const storage = openS3Storage(settingsOf(rgw, bucket, { endpointUrl: `http://${await listening(site)}` }), { attempts: 1 });
    const health = await storage.health();
    assert.equal(health.healthy, false);
    assert.match(health.detail, /ARTIFACTSTORE_S3_ENDPOINT_URL/);
    storage.close();
  });

  for (const status of [404, 405])
    test(`a server that answers everything with ${status}`, async () => {
      const server = createHttpServer((_request, response) => response.writeHead(status, { 'content-type': 'application/json' }).end('{}'));
      const storage = openS3Storage(settingsOf(rgw, bucket, { endpointUrl: `http://${await listening(server)}` }), { attempts: 1 });
      const health = await storage.health();
      assert.equal(health.healthy, false);
      assert.match(health.detail, /ARTIFACTSTORE_S3_ENDPOINT_URL/);
      await assert.rejects(async () => await storage.head('k'), { code: 'storage_unavailable' });
      storage.close();
    });

  test('a server that speaks something else', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('SSH-2.0-OpenSSH_9.2\r\n');
    });
    await assertRefused({ endpointUrl: `http://${await listening(server)}` }, /ARTIFACTSTORE_S3_ENDPOINT_URL/);
  });

  test('a store that has stopped answers nothing in time', async () => {
    rgw.freeze();
    try {
      const storage = openS3Storage(settingsOf(rgw, bucket), { attempts: 1, answerMilliseconds: 700 });
      await assert.rejects(async () => await storage.get('k'), { code: 'storage_unavailable', message: /did not answer in time/ });
      const health = await storage.health();
      assert.equal(health.healthy, false);
      storage.close();
    } finally {
      rgw.thaw();
    }
  });

  test('any region will do for Ceph', async () => {
    await untilHealthy(true, { region: 'eu-nowhere-9' });
  });
});

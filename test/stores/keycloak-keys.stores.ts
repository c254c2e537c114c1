import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeadBucketCommand } from '@aws-sdk/client-s3';
import type { Credentials, Keys } from '../../src/credentials/CREDENTIALS.ts';
import { type WebIdentityOptions, webIdentityCredentials } from '../../src/credentials/web-identity.ts';
import { isArtifactstoreError } from '../../src/kernel/error.ts';
import type { Storage } from '../../src/storage/STORAGE.ts';
import { openS3Storage } from '../../src/storage/s3/s3.ts';
import { defaultDialect } from '../../src/storage/s3/settings.ts';
import { whyNo } from './directory-store.ts';
import { type Keycloak, startKeycloak, whyNoKeycloak } from './keycloak.ts';
import { minio } from './kinds.ts';
import { type MinioOpenid, startMinioOpenid, type Way } from './minio-openid.ts';
import { keyPrefix } from './place.ts';
import { type Rgw, startRgw, whyNoRgw } from './rgw.ts';
import { settingsOf } from './settings-of.ts';
import { clientOf, type RealStore } from './store.ts';
import { type Exchange, prepareWebIdentity, type WebIdentity } from './web-identity.ts';

const skip = whyNoKeycloak() ?? (whyNoRgw() !== undefined && whyNo(minio));

describe('Keys of a store for a token of Keycloak', { skip: skip ?? false }, () => {
  let keycloak: Keycloak;
  before(async () => {
    keycloak = await startKeycloak();
  });
  after(() => keycloak?.[Symbol.asyncDispose]());

  describe('Ceph RGW', { skip: whyNoRgw() ?? false }, () => {
    let rgw: Rgw;
    let bucket: string;
    let identity: WebIdentity;
    before(async () => {
      // Otherwise it is a matter of chance whether the key that signs is the first, and Ceph before 20 reads no other.
      await keycloak.setEncryptionPriority(50);
      rgw = await startRgw();
      bucket = await rgw.createBucket();
      const { issuer: url, audience } = keycloak;
      const issuer = { url, audience, thumbprint: await keycloak.thumbprint(), clientToken: () => keycloak.token('ci') };
      identity = await prepareWebIdentity(rgw, issuer, bucket);
    });
    after(async () => {
      await identity?.[Symbol.asyncDispose]();
      await rgw?.[Symbol.asyncDispose]();
    });

    test('write and read, and others come when these end and another token lies there', async () => {
      const credentials = exchanged(identity, { seconds: 4 });
      using storage = opened(rgw, bucket, credentials);
      await roundTrip(storage);
      const first = await credentials.keys();
      await identity.writeToken();
      await sleep(4500);
      assert.equal(await statusWith(rgw, bucket, first), 403);
      await roundTrip(storage);
      // Keys of so short a life may end on their way.
      for (let attempt = 1; ; attempt++) {
        const second = await credentials.keys();
        assert.notEqual(second.accessKeyId, first.accessKeyId);
        const status = await statusWith(rgw, bucket, second);
        if (status === 200) break;
        assert.ok(attempt < 10, `answered ${status}`);
        await sleep(500);
      }
    });

    test('a token without the audience is refused, and the file named', async () => {
      await identity.writeToken(await keycloak.token('plain'));
      await refused(identity, /403 AccessDenied\) the token, .*WEB_IDENTITY_TOKEN_FILE/);
    });

    test('a new key of the issuer signs at once, and Ceph before 20 takes nothing of the old one, nor of a second', async (context) => {
      if (Number.parseInt(rgw.version, 10) >= 20) return context.skip('Ceph 20 finds the right key, and wants its thumbprint');
      await identity.writeToken();
      const withdraw = await keycloak.addKey();
      await refused(identity, /403 AccessDenied\) the token/);
      await identity.writeToken();
      await identity.take();
      await keycloak.setEncryptionPriority(5000);
      await refused(identity, /403 AccessDenied\) the token/);
      await keycloak.setEncryptionPriority(50);
      await identity.take();
      await withdraw();
    });
  });

  describe('MinIO', { skip: whyNo(minio) ?? false }, () => {
    let world: MinioOpenid;
    const tokens = { role: 'ci', claim: 'policy' } as const;
    const shown = async (way: Way): Promise<Exchange> => world.exchange(way, await keycloak.token(tokens[way]));
    before(async () => {
      await keycloak.setEncryptionPriority(5000);
      // One that Keycloak does not know: the exchange needs none, and who knows this one can sign tokens.
      const secret = randomBytes(24).toString('hex');
      world = await startMinioOpenid(keycloak.issuer, { role: { id: 'ci', secret }, claim: { id: 'policy', secret } });
    });
    after(() => world?.[Symbol.asyncDispose]());

    for (const [way, name] of [
      ['role', 'with the policy of a role'],
      ['claim', 'with the policy that a claim of the client names, and no role'],
    ] as const) {
      test(`${name} they write and read, and others come before these end`, async () => {
        const exchange = await shown(way);
        let later = 0;
        const credentials = exchanged(exchange, { seconds: 900, now: () => Date.now() + later });
        using storage = opened(world.store, world.buckets[way], credentials);
        await roundTrip(storage);
        const first = await credentials.keys();
        await keycloak.addKey();
        await writeFile(`${exchange.tokenFile}.next`, await keycloak.token(tokens[way]), { mode: 0o600 });
        await rename(`${exchange.tokenFile}.next`, exchange.tokenFile);
        later = 895_000;
        await roundTrip(storage);
        const second = await credentials.keys();
        assert.notEqual(second.accessKeyId, first.accessKeyId);
        assert.equal(await statusWith(world.store, world.buckets[way], second), 200);
        const other = way === 'role' ? 'claim' : 'role';
        assert.equal(await statusWith(world.store, world.buckets[other], second), 403);
      });
    }

    test('a token of a client that is not its own is refused, in both ways', async () => {
      const token = await keycloak.token('plain');
      await refused(await world.exchange('role', token), /400 InvalidParameterValue\) .*WEB_IDENTITY_TOKEN_FILE/);
      await refused(await world.exchange('claim', token), /400 InvalidParameterValue\) the token, without a role/);
    });

    test('both keys of the issuer hold while both are published', async () => {
      const before = await keycloak.token('ci');
      await keycloak.addKey();
      for (const token of [await keycloak.token('ci'), before])
        assert.ok((await exchanged(await world.exchange('role', token)).keys()).sessionToken);
    });
  });
});

interface ExchangeOptions extends WebIdentityOptions {
  readonly seconds?: number;
}

function exchanged(exchange: Exchange, { seconds = 900, ...options }: ExchangeOptions = {}): Credentials {
  const { roleArn, stsEndpointUrl, tokenFile: webIdentityTokenFile } = exchange;
  const settings = { roleArn, stsEndpointUrl, webIdentityTokenFile, region: 'us-east-1', sessionDurationSeconds: seconds };
  return webIdentityCredentials(settings, { attempts: 1, ...options });
}

async function refused(exchange: Exchange, said: RegExp): Promise<void> {
  await assert.rejects(exchanged(exchange).keys(), (error) => {
    assert.ok(isArtifactstoreError(error, 'storage_unavailable'), String(error));
    assert.match(error.message, said);
    return true;
  });
}

/** Below the prefix that the keys of MinIO reach; the owner of the bucket may read what is written. */
function opened(store: RealStore, bucket: string, credentials: Credentials): Storage & Disposable {
  const dialect = { ...defaultDialect, ownerAcl: store.name === 'Ceph RGW' };
  const storage = openS3Storage(settingsOf(store, bucket, { credentials, dialect, keyPrefix }));
  return { ...storage, [Symbol.dispose]: () => storage.close() };
}

/** An object of one request and one of several parts, written, read, listed and deleted. */
async function roundTrip(storage: Storage): Promise<void> {
  const bodies = { small: randomBytes(1000), large: randomBytes(6_000_000) };
  for (const [key, body] of Object.entries(bodies)) {
    await storage.put(
      key,
      (async function* () {
        yield body;
      })(),
    );
    const reader = await storage.get(key);
    assert.ok(reader !== undefined);
    const read = createHash('sha256');
    for await (const chunk of reader.body) read.update(chunk);
    assert.equal(read.digest('hex'), createHash('sha256').update(body).digest('hex'), key);
  }
  const keys = (await Array.fromAsync(storage.list(''))).map(({ key }) => key);
  assert.deepEqual(keys.sort(), ['large', 'small']);
  for (const key of keys) await storage.delete(key);
  assert.equal(await storage.head('small'), undefined);
}

/** What the store answers these keys themselves, whatever this process believes of them. */
async function statusWith(store: RealStore, bucket: string, keys: Keys): Promise<number | undefined> {
  // The SDK writes into what it is given.
  const client = clientOf({ url: store.url, region: store.region, keys: { ...keys } });
  return await client
    .send(new HeadBucketCommand({ Bucket: bucket }))
    .then(
      () => 200,
      (error: { readonly $metadata?: { readonly httpStatusCode?: number } }) => error.$metadata?.httpStatusCode,
    )
    .finally(() => client.destroy());
}

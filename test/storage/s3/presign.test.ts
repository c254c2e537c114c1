import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Keys } from '../../../src/credentials/CREDENTIALS.ts';
import type { UploadAddress } from '../../../src/storage/STORAGE.ts';
import { openS3Storage, type S3Storage } from '../../../src/storage/s3/s3.ts';
import { defaultDialect, type S3Settings } from '../../../src/storage/s3/settings.ts';
import { openStrictStore, type StrictStore } from '../../s3-stand-in/strict-store.ts';

describe('an address for one PUT', () => {
  let store: StrictStore;
  const opened: S3Storage[] = [];
  before(async () => {
    store = await openStrictStore();
  });
  after(async () => {
    for (const each of opened) each.close();
    await store.close();
  });

  function storageWith(more: Partial<S3Settings> = {}, keys: Partial<Keys> = {}): S3Storage {
    const own = { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey, ...keys };
    const storage = openS3Storage({
      id: 's3',
      endpointUrl: store.url,
      region: store.region,
      bucket: 'artifacts',
      forcePathStyle: true,
      credentials: { keys: async () => own, refused: () => undefined },
      keyPrefix: 'some/prefix',
      storageClass: undefined,
      serverSideEncryption: undefined,
      multipartThresholdBytes: 67_108_864,
      multipartChunkBytes: 8_388_608,
      dialect: defaultDialect,
      presigned: { createOnly: true, copies: true },
      ...more,
    });
    opened.push(storage);
    return storage;
  }
  const write = { sizeBytes: 5, digestSha256: createHash('sha256').update('bytes').digest('hex') };
  const inAnHour = () => Date.now() + 3_600_000;
  async function put({ url, headers }: UploadAddress, body: string, more: Readonly<Record<string, string>> = {}): Promise<number> {
    const { 'content-length': _, ...rest } = headers;
    const answer = await fetch(url, { method: 'PUT', headers: { ...rest, ...more }, body });
    await answer.body?.cancel();
    return answer.status;
  }

  test('writes below the prefix what it was signed for, and nothing else', async () => {
    const address = (await storageWith().presign!('uploads/a', { ...write, untilMilliseconds: inAnHour() }))!;
    for (const body of ['other', 'byte', 'bytes!']) assert.ok((await put(address, body)) >= 400);
    assert.equal(await put(address, 'bytes', { 'x-amz-meta-more': 'x' }), 403);
    assert.equal(await put({ ...address, url: address.url.replace('uploads/a', 'uploads/b') }, 'bytes'), 403);
    assert.equal((await fetch(address.url, { headers: address.headers })).status, 403);
    assert.equal(await put(address, 'bytes'), 200);
    assert.deepEqual(store.objects('artifacts'), ['some/prefix/uploads/a']);
    assert.equal(await put(address, 'bytes'), 412);
  });

  test('may be used again where the store obeys no condition', async () => {
    const address = (await storageWith({ presigned: { createOnly: false, copies: false } }).presign!('c', {
      ...write,
      untilMilliseconds: inAnHour(),
    }))!;
    assert.equal(address.headers['if-none-match'], undefined);
    assert.deepEqual([await put(address, 'bytes'), await put(address, 'bytes')], [200, 200]);
  });

  test('says how the object is to be kept', async () => {
    const storage = storageWith({ serverSideEncryption: 'AES256', dialect: { ...defaultDialect, ownerAcl: true } });
    const { headers } = (await storage.presign!('d', { ...write, untilMilliseconds: inAnHour() }))!;
    assert.deepEqual([headers['x-amz-server-side-encryption'], headers['x-amz-acl']], ['AES256', 'bucket-owner-full-control']);
  });

  test('ends with its caller, with the keys, or after a quarter of an hour', async () => {
    const secondsOf = async (storage: S3Storage, untilMilliseconds: number) => {
      const address = await storage.presign!('e', { ...write, untilMilliseconds });
      if (address === undefined) return undefined;
      const { searchParams } = new URL(address.url);
      const signed = Number(searchParams.get('X-Amz-Expires'));
      const date = searchParams.get('X-Amz-Date')!.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z');
      assert.equal(Date.parse(date) + signed * 1000, address.expiresAtMilliseconds);
      return signed;
    };
    assert.equal(await secondsOf(storageWith(), inAnHour()), 900);
    assert.ok((await secondsOf(storageWith(), Date.now() + 60_000))! <= 60);
    const temporary = { sessionToken: 'token', expiresAtMilliseconds: Date.now() + 30_000 };
    assert.ok((await secondsOf(storageWith({}, temporary), inAnHour()))! <= 30);
    assert.equal(await secondsOf(storageWith({}, { expiresAtMilliseconds: Date.now() + 2000 }), inAnHour()), undefined);
    assert.equal(await secondsOf(storageWith(), Date.now() - 1000), undefined);
  });

  test('is there for what one request takes', async () => {
    const untilMilliseconds = inAnHour();
    const of = (sizeBytes: number) => storageWith().presign!('f', { ...write, sizeBytes, untilMilliseconds });
    assert.notEqual(await of(5_368_709_120), undefined);
    assert.equal(await of(5_368_709_121), undefined);
    assert.notEqual(await of(0), undefined);
  });
});

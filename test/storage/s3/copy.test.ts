import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { openS3Storage, type S3Storage } from '../../../src/storage/s3/s3.ts';
import { defaultDialect } from '../../../src/storage/s3/settings.ts';
import { openStrictStore, type StrictStore } from '../../s3-stand-in/strict-store.ts';

describe('a copy within a bucket', () => {
  let store: StrictStore;
  let storage: S3Storage;
  before(async () => {
    store = await openStrictStore();
    const own = { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey };
    storage = openS3Storage({
      ...{ id: 's3', endpointUrl: store.url, region: store.region, bucket: 'artifacts', forcePathStyle: true },
      ...{ keyPrefix: 'some/pre fix', storageClass: undefined, serverSideEncryption: undefined },
      ...{ multipartThresholdBytes: 67_108_864, multipartChunkBytes: 8_388_608, dialect: defaultDialect },
      credentials: { keys: async () => own, refused: () => undefined },
      presigned: { createOnly: true, copies: true },
    });
  });
  after(async () => {
    storage.close();
    await store.close();
  });

  const at = (key: string) => `some/pre fix/${key}`;
  const shown = (key: string) => store.object('artifacts', at(key))?.body.toString();
  async function versionOf(key: string): Promise<string> {
    const reader = await storage.get(key);
    for await (const _ of reader!.body);
    return reader!.version!;
  }

  test('is of the version that was read, and of no other', async () => {
    store.place('artifacts', at('a'), 'bytes');
    const version = await versionOf('a');
    assert.equal(version, `"${createHash('md5').update('bytes').digest('hex')}"`);
    assert.equal(await storage.copy!('a', 'b', { version, sizeBytes: 5 }), true);
    assert.equal(shown('b'), 'bytes');
    store.place('artifacts', at('a'), 'other');
    assert.equal(await storage.copy!('a', 'c', { version, sizeBytes: 5 }), false);
    assert.equal(shown('c'), undefined);
    assert.equal(await storage.copy!('missing', 'c', { version, sizeBytes: 5 }), false);
  });

  test('is believed only with the length and the ETag of what was read, and made only where that is an MD5', async () => {
    store.place('artifacts', at('d'), 'bytes');
    const version = await versionOf('d');
    assert.equal(await storage.copy!('d', 'e', { version, sizeBytes: 6 }), false);
    for (const odd of ['"abc-2"', `W/${version}`, version.replaceAll('"', '')])
      assert.equal(await storage.copy!('d', 'f', { version: odd, sizeBytes: 5 }), false);
    assert.equal(shown('f'), undefined);
  });
});

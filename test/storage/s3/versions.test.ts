import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ListObjectVersionsCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { openS3OnStrictStore } from '../../compose/open-s3.ts';
import { clientOf } from '../../s3-stand-in/store-client.ts';

const bytes = async function* (text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
};

describe('s3 storage in a bucket that keeps versions', () => {
  test('puts a mark over what it deletes, says once that the bytes stay, and deletes no version', async () => {
    const told: string[] = [];
    await using opened = await openS3OnStrictStore({ calls: { onBytesKept: (place) => void told.push(place) } });
    const { storage, store } = opened;
    const client = clientOf(store, { maxAttempts: 3 });
    const keep = (Status: 'Enabled' | 'Suspended') =>
      client.send(new PutBucketVersioningCommand({ Bucket: 'artifacts', VersioningConfiguration: { Status } }));
    const remains = async (): Promise<readonly string[]> => {
      const { Versions = [], DeleteMarkers = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: 'artifacts' }));
      return [...Versions, ...DeleteMarkers].map(({ Key = '' }) => Key.slice(-1)).sort();
    };
    const [a, b, c] = ['a', 'b', 'c'].map((digit) => `sha256/${digit.repeat(2)}/${digit.repeat(2)}/${digit.repeat(64)}`) as [
      string,
      string,
      string,
    ];

    await storage.put(a, bytes('one'));
    await storage.delete(a);
    assert.deepEqual([told, await remains()], [[], []]);

    await keep('Enabled');
    for (const key of [a, b]) {
      await storage.put(key, bytes('two'));
      await storage.delete(key);
      assert.equal(await storage.head(key), undefined);
    }
    assert.deepEqual(told, ['the bucket artifacts']);
    assert.deepEqual(await remains(), ['a', 'a', 'b', 'b'], 'what was written, and the mark');
    // What comes after the mark is what is there.
    await storage.put(a, bytes('three'));
    assert.deepEqual(await storage.head(a), { sizeBytes: 5 });
    client.destroy();

    const suspended: string[] = [];
    await using other = await openS3OnStrictStore({ calls: { onBytesKept: (place) => void suspended.push(place) } });
    const own = clientOf(other.store, { maxAttempts: 3 });
    await own.send(new PutBucketVersioningCommand({ Bucket: 'artifacts', VersioningConfiguration: { Status: 'Suspended' } }));
    await other.storage.put(c, bytes('four'));
    await other.storage.delete(c);
    assert.deepEqual(suspended, [], 'its bytes are gone: the mark is the one version that there is');
    own.destroy();
  });
});

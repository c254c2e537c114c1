import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { openS3OnStrictStore } from '../../compose/open-s3.ts';
import { clientOf } from '../../s3-stand-in/store-client.ts';

describe('s3 storage: uploads that nobody ended', () => {
  test('are dropped when nothing was added to them for so long, not when they merely began so long ago', async () => {
    let ago = 7_200_000;
    await using opened = await openS3OnStrictStore({ store: { clock: () => Date.now() - ago } });
    const { storage, store } = opened;
    const begin = async (Key: string): Promise<string> =>
      (await client.send(new CreateMultipartUploadCommand({ Bucket: 'artifacts', Key }))).UploadId!;
    const add = (Key: string, UploadId: string, PartNumber: number) =>
      client.send(new UploadPartCommand({ Bucket: 'artifacts', Key, UploadId, PartNumber, Body: `part ${PartNumber}` }));
    const client = clientOf(store, { maxAttempts: 3 });
    const [slowKey, forgottenKey, emptyKey] = ['a', 'b', 'c'].map((digit) => `registry/one/${keyOf(digit)}`) as [string, string, string];
    // The bucket's other users, one of them with a longer prefix.
    const others = [`registry/${keyOf('d')}`, `registry/one/inside/${keyOf('e')}`, 'registry/one/video.mp4', 'registry/other'];
    const [slow, forgotten] = [await begin(slowKey), await begin(forgottenKey)];
    await begin(`${emptyKey}.1`);
    for (const key of others) await begin(key);
    await add(slowKey, slow, 1);
    await add(forgottenKey, forgotten, 1);
    ago = 0;
    await add(slowKey, slow, 2);
    assert.equal(await storage.reclaim(3600, { dryRun: true }), 2);
    assert.equal(await storage.reclaim(3600), 2);
    assert.deepEqual([...store.uploads('artifacts')].sort(), [slowKey, ...others].sort());
    assert.equal(await storage.reclaim(-1), 1);
  });
});

/** The key of an object. */
function keyOf(digit: string): string {
  return `sha256/${digit.repeat(2)}/${digit.repeat(2)}/${digit.repeat(64)}`;
}

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { clientOf } from '../../stores/store-client.ts';
import { openS3OnStrictStore } from '../open-s3.ts';

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
    const [slow, forgotten] = [await begin('registry/one/slow'), await begin('registry/one/forgotten')];
    await begin('registry/one/empty');
    await begin('registry/other');
    await add('registry/one/slow', slow, 1);
    await add('registry/one/forgotten', forgotten, 1);
    ago = 0;
    await add('registry/one/slow', slow, 2);
    assert.equal(await storage.reclaim(3600, { dryRun: true }), 2);
    assert.equal(await storage.reclaim(3600), 2);
    assert.deepEqual([...store.uploads('artifacts')].sort(), ['registry/one/slow', 'registry/other']);
    assert.equal(await storage.reclaim(-1), 1);
  });
});

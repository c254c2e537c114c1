import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { throwIfStopped } from '../../runtime/stop.ts';
import type { ListedObject, Stoppable } from '../STORAGE.ts';
import type { S3Calls } from './client.ts';
import type { S3Settings } from './settings.ts';
import { prefixOf } from './store-key.ts';

export async function* listObjects(calls: S3Calls, settings: S3Settings, prefix: string, options: Stoppable): AsyncGenerator<ListedObject> {
  const start = prefixOf(settings.keyPrefix);
  let ContinuationToken: string | undefined;
  do {
    const token = ContinuationToken;
    const page = await calls.call({ doing: 'list', key: `${start}${prefix}` }, options.signal, (client, stopping) =>
      client.send(
        new ListObjectsV2Command({
          Bucket: settings.bucket,
          Prefix: `${start}${prefix}`,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
        stopping,
      ),
    );
    for (const { Key, Size, LastModified } of page.Contents ?? []) {
      throwIfStopped(options.signal);
      if (Key?.startsWith(start) !== true) continue;
      yield { key: Key.slice(start.length), sizeBytes: Size ?? 0, modifiedMilliseconds: LastModified?.getTime() ?? 0 };
    }
    ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    if (page.IsTruncated === true && (ContinuationToken === undefined || ContinuationToken === token))
      throw new ArtifactstoreError(
        'storage_unavailable',
        `Could not list ${start}${prefix}: the store does not say where its list continues`,
      );
  } while (ContinuationToken !== undefined);
}

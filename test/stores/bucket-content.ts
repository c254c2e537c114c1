import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { clientOf, type RealStore } from './store.ts';

export interface BucketContent {
  readonly keys: readonly string[];
  readonly bytes: number;
  /** Uploads in parts that nobody completed or gave up. */
  readonly unfinished: number;
}

/** What lies in a bucket below a prefix, as its owner sees it, without the markers that say whose it is. */
export async function contentOf(store: RealStore, Bucket: string, Prefix = ''): Promise<BucketContent> {
  const client = clientOf(store);
  try {
    const keys: string[] = [];
    let bytes = 0;
    let ContinuationToken: string | undefined;
    do {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket, Prefix, ...(ContinuationToken === undefined ? {} : { ContinuationToken }) }),
      );
      for (const { Key = '', Size = 0 } of page.Contents ?? []) {
        if (/(^|\/)registry\.json$/.test(Key)) continue;
        keys.push(Key);
        bytes += Size;
      }
      ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (ContinuationToken !== undefined);
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, ...(Prefix === '' ? {} : { Prefix }) }));
    return { keys, bytes, unfinished: Uploads.length };
  } finally {
    client.destroy();
  }
}

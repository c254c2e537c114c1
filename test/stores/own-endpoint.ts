import { randomUUID } from 'node:crypto';
import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { clientOf, type RealStore } from './store.ts';

/** A bucket of somebody's own, as variables name it, and a prefix in it that nobody else has. */
export interface OwnEndpoint {
  readonly store: RealStore;
  readonly bucket: string;
  readonly prefix: string;
  /** Which these keys must not reach; undefined where none was named. */
  readonly otherBucket: string | undefined;
  /** Variables of the command line beyond those of the keys. */
  readonly environment: Readonly<Record<string, string>>;
  /** Deletes what is left below the prefix, and says how many objects that were. */
  clear(): Promise<number>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const needed = ['ENDPOINT_URL', 'BUCKET', 'ACCESS_KEY', 'SECRET_KEY'] as const;

/**
 * Reads `PREFIX_ENDPOINT_URL`, `_BUCKET`, `_ACCESS_KEY`, `_SECRET_KEY` and so on, as docs/stores.md has them. Throws
 * where some are missing, naming all of them.
 */
export function ownEndpoint(variables: string, environment: Environment = process.env): OwnEndpoint {
  const read = (name: string): string => environment[`${variables}_${name}`] ?? '';
  const missing = needed.filter((name) => read(name) === '').map((name) => `${variables}_${name}`);
  if (missing.length > 0) throw new Error(`not set: ${missing.join(', ')}; docs/stores.md says what each is`);
  const sessionToken = read('SESSION_TOKEN');
  const keys = {
    accessKeyId: read('ACCESS_KEY'),
    secretAccessKey: read('SECRET_KEY'),
    ...(sessionToken === '' ? {} : { sessionToken }),
  };
  const store: RealStore = {
    name: 'the endpoint',
    version: 'unknown',
    url: read('ENDPOINT_URL'),
    region: read('REGION') || 'us-east-1',
    keys,
    createBucket: () => Promise.reject(new Error('no bucket is made at an endpoint of somebody')),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const bucket = read('BUCKET');
  const outer = read('KEY_PREFIX').replace(/^\/+|\/+$/g, '');
  const prefix = `${outer === '' ? '' : `${outer}/`}artifactstore-test-${randomUUID()}`;
  return {
    store,
    bucket,
    prefix,
    otherBucket: read('OTHER_BUCKET') || undefined,
    environment:
      sessionToken === '' ? {} : { ARTIFACTSTORE_S3_SESSION_TOKEN_REF: 'env:STORE_SESSION_TOKEN', STORE_SESSION_TOKEN: sessionToken },
    async clear() {
      const client = clientOf(store);
      try {
        let deleted = 0;
        for (;;) {
          const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/` }));
          if (Contents.length === 0) return deleted;
          for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
          deleted += Contents.length;
        }
      } finally {
        client.destroy();
      }
    },
  };
}

import type { StrictStore } from './strict-store.ts';

/** What configures the backend `s3` on a strict store's bucket; which backends there are is for the caller to say. */
export function s3Settings(bucket: Pick<StrictStore, 'url' | 'accessKeyId' | 'secretAccessKey'>): Readonly<Record<string, string>> {
  return {
    ARTIFACTSTORE_S3_ENDPOINT_URL: bucket.url,
    ARTIFACTSTORE_S3_BUCKET: 'artifacts',
    ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:ACCESS',
    ARTIFACTSTORE_S3_SECRET_KEY_REF: 'env:SECRET',
    ACCESS: bucket.accessKeyId,
    SECRET: bucket.secretAccessKey,
  };
}

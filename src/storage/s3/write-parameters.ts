import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { S3Settings } from './settings.ts';
import { storeKey } from './store-key.ts';

/** What every object is written with, in one request or in parts. */
export function writeParameters(
  settings: S3Settings,
  objectKey: string,
): Pick<PutObjectCommandInput, 'ACL' | 'Bucket' | 'ContentType' | 'Key' | 'ServerSideEncryption' | 'StorageClass'> {
  const { bucket, dialect, serverSideEncryption, storageClass } = settings;
  return {
    Bucket: bucket,
    Key: storeKey(settings, objectKey),
    ContentType: 'application/octet-stream',
    ...(dialect.ownerAcl ? { ACL: 'bucket-owner-full-control' } : {}),
    ...(serverSideEncryption === undefined ? {} : { ServerSideEncryption: serverSideEncryption }),
    ...(storageClass === undefined ? {} : { StorageClass: storageClass as NonNullable<PutObjectCommandInput['StorageClass']> }),
  };
}

/** Every store names what it took. Whatever answers 200 and does not is something else, and may have kept nothing. */
export function requireEtag(etag: string | undefined, objectKey: string): string {
  if (etag !== undefined && etag !== '') return etag;
  throw new ArtifactstoreError(
    'storage_unavailable',
    `Could not write ${objectKey}: the answer has no ETag, so it is not that of an S3 store; look at ARTIFACTSTORE_S3_ENDPOINT_URL`,
  );
}

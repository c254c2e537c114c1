import type { PutObjectCommandInput } from '@aws-sdk/client-s3';
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

import * as buckets from './buckets.ts';
import type { Answer, Exchange, Target } from './exchange.ts';
import { listObjects, listObjectsByMarker } from './list.ts';
import { listParts, listUploads } from './list-uploads.ts';
import { listVersions } from './list-versions.ts';
import * as lock from './lock.ts';
import { abortUpload, completeUpload, createUpload, uploadPart, uploadPartCopy } from './multipart.ts';
import { deleteObject, deleteObjects, putObject } from './objects.ts';
import { readObject } from './reading.ts';
import { refuse } from './refusal.ts';
import type { Bucket, State } from './state.ts';

/** Does what a request asks for, once it is known who asks. */
export async function perform(state: State, exchange: Exchange): Promise<Answer> {
  const { operation } = exchange;
  if (operation === 'ListBuckets') return buckets.listBuckets(state, exchange);
  if (operation === 'CreateBucket') return buckets.createBucket(state, exchange);
  const bucket = reach(state, exchange);
  const handler = handlers[operation];
  if (handler === undefined) throw refuse('NotImplemented', { Operation: operation });
  return handler(state, bucket, exchange);
}

/** The name of what a request asks for, as AWS calls it. */
export function operationOf({ method, bucket, key, query }: Target, copies: boolean): string {
  const asked = subresources.find((name) => query.has(name));
  if (bucket === undefined) return method === 'GET' ? 'ListBuckets' : `${method} /`;
  if (key === undefined) {
    if (asked !== undefined) return ofBucket[`${method} ?${asked}`] ?? `${method} bucket ?${asked}`;
    if (method === 'GET') return query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects';
    return ofBucket[method] ?? `${method} bucket`;
  }
  if (asked !== undefined) return ofObject[`${method} ?${asked}`] ?? `${method} object ?${asked}`;
  if (query.has('uploadId')) {
    if (method === 'PUT') return copies ? 'UploadPartCopy' : 'UploadPart';
    return ofUpload[method] ?? `${method} upload`;
  }
  if (method === 'PUT') return copies ? 'CopyObject' : 'PutObject';
  return ofObject[method] ?? `${method} object`;
}

const subresources = [
  ...['accelerate', 'acl', 'analytics', 'attributes', 'cors', 'delete', 'encryption', 'intelligent-tiering', 'inventory', 'legal-hold'],
  ...['lifecycle', 'location', 'logging', 'metrics', 'notification', 'object-lock', 'ownershipControls', 'policy', 'policyStatus'],
  ...['publicAccessBlock', 'replication', 'requestPayment', 'restore', 'retention', 'select', 'tagging', 'torrent', 'uploads'],
  ...['versioning', 'versions', 'website'],
];

const ofBucket: Readonly<Record<string, string>> = {
  HEAD: 'HeadBucket',
  PUT: 'CreateBucket',
  DELETE: 'DeleteBucket',
  'GET ?location': 'GetBucketLocation',
  'GET ?versioning': 'GetBucketVersioning',
  'PUT ?versioning': 'PutBucketVersioning',
  'GET ?versions': 'ListObjectVersions',
  'GET ?uploads': 'ListMultipartUploads',
  'POST ?delete': 'DeleteObjects',
  'GET ?object-lock': 'GetObjectLockConfiguration',
  'PUT ?object-lock': 'PutObjectLockConfiguration',
  'GET ?policy': 'GetBucketPolicy',
  'PUT ?policy': 'PutBucketPolicy',
  'GET ?publicAccessBlock': 'GetPublicAccessBlock',
  'PUT ?publicAccessBlock': 'PutPublicAccessBlock',
};

const ofObject: Readonly<Record<string, string>> = {
  GET: 'GetObject',
  HEAD: 'HeadObject',
  DELETE: 'DeleteObject',
  'POST ?uploads': 'CreateMultipartUpload',
  'GET ?retention': 'GetObjectRetention',
  'PUT ?retention': 'PutObjectRetention',
  'GET ?legal-hold': 'GetObjectLegalHold',
  'PUT ?legal-hold': 'PutObjectLegalHold',
};

const ofUpload: Readonly<Record<string, string>> = { GET: 'ListParts', POST: 'CompleteMultipartUpload', DELETE: 'AbortMultipartUpload' };

const handlers: Readonly<Record<string, (state: State, bucket: Bucket, exchange: Exchange) => Answer | Promise<Answer>>> = {
  HeadBucket: (state) => buckets.headBucket(state),
  DeleteBucket: (state, bucket) => buckets.deleteBucket(state, bucket),
  GetBucketLocation: (state) => buckets.getLocation(state),
  GetBucketVersioning: (_, bucket) => buckets.getVersioning(bucket),
  PutBucketVersioning: (_, bucket, exchange) => buckets.putVersioning(bucket, exchange),
  GetObjectLockConfiguration: (_, bucket) => lock.getLockConfiguration(bucket),
  PutObjectLockConfiguration: (_, bucket, exchange) => lock.putLockConfiguration(bucket, exchange),
  ListObjects: listObjectsByMarker,
  ListObjectsV2: listObjects,
  ListObjectVersions: (_, bucket, exchange) => listVersions(bucket, exchange),
  ListMultipartUploads: (_, bucket, exchange) => listUploads(bucket, exchange),
  DeleteObjects: deleteObjects,
  GetObject: readObject,
  HeadObject: readObject,
  PutObject: putObject,
  CopyObject: putObject,
  DeleteObject: deleteObject,
  GetObjectRetention: lock.getRetention,
  PutObjectRetention: lock.putRetention,
  GetObjectLegalHold: lock.getLegalHold,
  PutObjectLegalHold: lock.putLegalHold,
  CreateMultipartUpload: createUpload,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  CompleteMultipartUpload: completeUpload,
  AbortMultipartUpload: abortUpload,
  ListParts: (_, bucket, exchange) => listParts(bucket, exchange),
};

/** The bucket of a request, if its credentials reach it and the key. */
function reach(state: State, { bucket: name = '', key, query, grant }: Exchange): Bucket {
  const bucket = state.buckets.get(name);
  if (bucket === undefined) throw refuse('NoSuchBucket', { BucketName: name });
  const { buckets: reached, keyPrefix = '' } = grant;
  const reaches = bucket.own && (reached?.includes(name) ?? true);
  if (!reaches && state.lies.foreignBucketReadable !== true) throw refuse('AccessDenied');
  const within = key ?? query.get('prefix');
  if (within !== undefined && !within.startsWith(keyPrefix)) throw refuse('AccessDenied');
  if (within === undefined && keyPrefix !== '' && query.has('list-type')) throw refuse('AccessDenied');
  return bucket;
}

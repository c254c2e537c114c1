import { setTimeout as delay } from 'node:timers/promises';
import { attributesOf } from './attributes.ts';
import { checkRead, checkWrite } from './conditions.ts';
import { type Answer, decode, type Exchange } from './exchange.ts';
import { removalRefused } from './lock.ts';
import { findVersion, versionHeader } from './reading.ts';
import { Refusal, refuse } from './refusal.ts';
import { addVersion, type Bucket, md5, type State, setVersions, shown, type Version } from './state.ts';
import { document, parse } from './xml.ts';

export async function putObject(state: State, bucket: Bucket, exchange: Exchange): Promise<Answer> {
  const { headers } = exchange;
  const { lies } = state;
  if (headers['x-amz-copy-source'] !== undefined) return copyObject(state, bucket, exchange);
  const key = exchange.key ?? '';
  const attributes = attributesOf(headers, bucket, state.clock(), lies);
  const { body, checksum, checked } = await exchange.receive();
  if ((attributes.retention !== undefined || attributes.legalHold) && !checked) {
    throw refuse('InvalidRequest', {
      Message: 'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
    });
  }
  const conditions = lies.ignoredConditionalCreate === true ? withoutCreate(headers) : headers;
  checkWrite(conditions, shown(bucket, key));
  if (lies.nonAtomicConditionalCreate === true && headers['if-none-match'] !== undefined) await delay(lies.lagMilliseconds ?? 50);
  const added = addWhole(state, bucket, { ...attributes, key, body, checksum });
  return { status: 200, headers: { etag: `"${added.etag}"`, ...versionHeader(bucket, added), ...echoed(added) } };
}

type Whole = Omit<Parameters<typeof addVersion>[2], 'etag' | 'deleteMarker' | 'partSizes'>;

/** An object that came in one request: its ETag is the MD5 of its bytes. */
function addWhole(state: State, bucket: Bucket, version: Whole): Version {
  return addVersion(state, bucket, { ...version, etag: md5(version.body), deleteMarker: false, partSizes: undefined });
}

/** What a copy is made of; the bucket must be one that the request's credentials reach. */
export function copySource(state: State, exchange: Exchange): Version {
  const [path = '', versionId] = (exchange.headers['x-amz-copy-source'] ?? '').split('?versionId=');
  const [, bucketName = '', key = ''] = /^\/?([^/]+)\/(.+)$/s.exec(decode(path)) ?? [];
  const source = state.buckets.get(bucketName);
  if (source === undefined) throw refuse('NoSuchBucket', { BucketName: bucketName });
  const { buckets, keyPrefix = '' } = exchange.grant;
  const reaches = source.own && (buckets?.includes(bucketName) ?? true) && key.startsWith(keyPrefix);
  if (!reaches && state.lies.foreignBucketReadable !== true) throw refuse('AccessDenied');
  const found = findVersion(state, source, key, versionId);
  if (found === undefined) throw refuse('NoSuchKey', { Key: key });
  if (checkRead(exchange.headers, found, 'x-amz-copy-source-') === 304)
    throw refuse('PreconditionFailed', { Condition: 'x-amz-copy-source-if-none-match' });
  return found;
}

async function copyObject(state: State, bucket: Bucket, exchange: Exchange): Promise<Answer> {
  const { headers } = exchange;
  const key = exchange.key ?? '';
  const source = copySource(state, exchange);
  const replace = headers['x-amz-metadata-directive'] === 'REPLACE';
  const given = attributesOf(headers, bucket, state.clock(), state.lies);
  if (source === shown(bucket, key) && !replace && headers['x-amz-storage-class'] === undefined && given.encryption === undefined) {
    throw refuse('InvalidRequest', {
      Message: 'This copy request is illegal because it is trying to copy an object to itself without changing it',
    });
  }
  checkWrite(headers, shown(bucket, key));
  const attributes = replace ? given : { ...given, headers: source.headers, metadata: source.metadata };
  const { body, checksum } = source;
  const added = addWhole(state, bucket, { ...attributes, key, body, checksum });
  const answer = document('CopyObjectResult', { ETag: `"${added.etag}"`, LastModified: new Date(added.modifiedAt).toISOString() });
  return { status: 200, headers: { ...versionHeader(bucket, added), 'x-amz-copy-source-version-id': source.versionId }, body: answer };
}

export function deleteObject(state: State, bucket: Bucket, exchange: Exchange): Answer {
  const key = exchange.key ?? '';
  const result = remove(state, bucket, key, exchange.query.get('versionId'), exchange.headers);
  return { status: 204, headers: result };
}

export async function deleteObjects(state: State, bucket: Bucket, exchange: Exchange): Promise<Answer> {
  const { body, checked } = await exchange.receive();
  if (!checked) throw refuse('InvalidRequest', { Message: 'Missing required header for this request: Content-MD5' });
  const request = parse(body, 'Delete');
  const objects = request.all('Object');
  if (objects.length === 0 || objects.length > 1000) throw refuse('MalformedXML');
  const quiet = request.text('Quiet') === 'true';
  const results = objects.map((object) => {
    const key = object.text('Key');
    if (key === undefined || key === '') throw refuse('MalformedXML');
    const versionId = object.text('VersionId');
    try {
      if (!key.startsWith(exchange.grant.keyPrefix ?? '')) throw refuse('AccessDenied');
      const match = object.text('ETag');
      const removed = remove(state, bucket, key, versionId, { ...exchange.headers, ...(match === undefined ? {} : { 'if-match': match }) });
      const marker = removed['x-amz-delete-marker'];
      const markerId = marker === undefined || versionId !== undefined ? undefined : removed['x-amz-version-id'];
      return { deleted: { Key: key, VersionId: versionId, DeleteMarker: marker, DeleteMarkerVersionId: markerId } };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { error: { Key: key, VersionId: versionId, Code: error.code, Message: error.message } };
    }
  });
  const deleted = quiet ? [] : results.flatMap((result) => (result.deleted === undefined ? [] : [result.deleted]));
  const errors = results.flatMap((result) => (result.error === undefined ? [] : [result.error]));
  return { status: 200, body: document('DeleteResult', { Deleted: deleted, Error: errors }) };
}

/** Removes a version, or puts a delete marker where the bucket keeps versions; returns the headers that tell which. */
function remove(
  state: State,
  bucket: Bucket,
  key: string,
  versionId: string | undefined,
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  const versions = bucket.versions.get(key) ?? [];
  if (versions.length === 0 && state.lies.deleteNotIdempotent === true) throw refuse('NoSuchKey', { Key: key });
  if (headers['if-match'] !== undefined) checkWrite({ 'if-match': headers['if-match'] }, shown(bucket, key));
  if (versionId !== undefined) {
    const found = versions.find((each) => each.versionId === versionId);
    const refusal = found === undefined ? undefined : removalRefused(state, found, headers);
    if (refusal !== undefined) throw refusal;
    if (found !== undefined)
      setVersions(
        state,
        bucket,
        key,
        versions.filter((each) => each !== found),
      );
    return { 'x-amz-version-id': versionId, ...(found?.deleteMarker === true ? { 'x-amz-delete-marker': 'true' } : {}) };
  }
  if (bucket.versioning === undefined) {
    if (versions.length > 0) setVersions(state, bucket, key, []);
    return {};
  }
  const marker = {
    ...attributesOf({}, { ...bucket, defaultRetention: undefined }, state.clock(), state.lies),
    key,
    body: Buffer.alloc(0),
    etag: '',
  };
  const added = addVersion(state, bucket, { ...marker, deleteMarker: true, checksum: undefined, partSizes: undefined });
  return { 'x-amz-delete-marker': 'true', 'x-amz-version-id': added.versionId };
}

function withoutCreate(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { 'if-none-match': _, ...rest } = headers;
  return rest;
}

function echoed(version: Version): Record<string, string> {
  return {
    ...(version.encryption === undefined ? {} : { 'x-amz-server-side-encryption': version.encryption }),
    ...(version.checksum === undefined
      ? {}
      : { [`x-amz-checksum-${version.checksum.algorithm}`]: version.checksum.value, 'x-amz-checksum-type': version.checksum.type }),
  };
}

import { shownAttributes } from './attributes.ts';
import { checkRead, type Range, rangeOf } from './conditions.ts';
import type { Answer, Exchange } from './exchange.ts';
import { refuse } from './refusal.ts';
import { type Bucket, type State, shown, shownAt, type Version } from './state.ts';

const overrides = ['content-type', 'content-language', 'expires', 'cache-control', 'content-disposition', 'content-encoding'];

/** GetObject and HeadObject. */
export function readObject(state: State, bucket: Bucket, exchange: Exchange): Answer {
  const { headers, query, method } = exchange;
  const key = exchange.key ?? '';
  const version = findVersion(state, bucket, key, query.get('versionId'));
  if (version === undefined) return missing(state, bucket, key);
  const base = { ...describe(version, bucket), ...responseOverrides(query) };
  if (headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED' && version.checksum !== undefined && headers.range === undefined) {
    base[`x-amz-checksum-${version.checksum.algorithm}`] = version.checksum.value;
    base['x-amz-checksum-type'] = version.checksum.type;
  }
  if (checkRead(headers, version) === 304)
    return { status: 304, headers: { etag: `"${version.etag}"`, 'last-modified': base['last-modified'] ?? '' } };
  const range = partRange(query.get('partNumber'), version, base) ?? rangeOf(headers.range, version.body.length);
  if (range === undefined || state.lies.ignoredRange === true) return bytes(200, base, version.body, method);
  base['content-range'] = `bytes ${range.start}-${range.end}/${version.body.length}`;
  return bytes(206, base, cut(version.body, range, state), method);
}

/** The version that a request names, or that its key shows; undefined when the key shows none. */
export function findVersion(state: State, bucket: Bucket, key: string, versionId: string | undefined): Version | undefined {
  if (versionId === undefined) {
    const now = shown(bucket, key);
    if (now === undefined || state.lies.staleRead !== true) return now;
    return shownAt(bucket, key, state.clock() - (state.lies.lagMilliseconds ?? 2000)) ?? now;
  }
  const found = bucket.versions.get(key)?.find((each) => each.versionId === versionId);
  if (found === undefined) throw refuse('NoSuchVersion', { Key: key, VersionId: versionId });
  if (found.deleteMarker)
    throw refuse('MethodNotAllowed', { Method: 'GET', ResourceType: 'DeleteMarker' }, { allow: 'DELETE', 'x-amz-delete-marker': 'true' });
  return found;
}

/** The header of an answer that names a version, where the bucket keeps versions. */
export function versionHeader(bucket: Bucket, version: Pick<Version, 'versionId'>): Record<string, string> {
  return bucket.versioning === undefined ? {} : { 'x-amz-version-id': version.versionId };
}

function missing({ lies }: State, bucket: Bucket, key: string): Answer {
  if (lies.noSuchKeyAs200Empty === true)
    return { status: 200, headers: { 'content-type': 'binary/octet-stream', etag: '"d41d8cd98f00b204e9800998ecf8427e"' }, body: '' };
  if (lies.notFoundAsHtml === true) {
    return {
      status: 404,
      headers: { 'content-type': 'text/html' },
      body: '<html><head><title>404 Not Found</title></head><body>Not Found</body></html>',
    };
  }
  const marker = bucket.versions.get(key)?.at(-1);
  throw refuse(
    'NoSuchKey',
    { Key: key },
    marker === undefined ? {} : { 'x-amz-delete-marker': 'true', 'x-amz-version-id': marker.versionId },
  );
}

function describe(version: Version, bucket: Bucket): Record<string, string> {
  return {
    ...shownAttributes(version),
    ...versionHeader(bucket, version),
    etag: `"${version.etag}"`,
    'last-modified': new Date(version.modifiedAt).toUTCString(),
    'accept-ranges': 'bytes',
  };
}

function responseOverrides(query: ReadonlyMap<string, string>): Record<string, string> {
  return Object.fromEntries(overrides.flatMap((name) => (query.has(`response-${name}`) ? [[name, query.get(`response-${name}`)!]] : [])));
}

function partRange(partNumber: string | undefined, version: Version, headers: Record<string, string>): Range | undefined {
  if (partNumber === undefined) return undefined;
  const sizes = version.partSizes ?? [version.body.length];
  const index = Number(partNumber) - 1;
  const size = sizes[index];
  if (size === undefined) throw refuse('InvalidPartNumber');
  if (version.partSizes !== undefined) headers['x-amz-mp-parts-count'] = String(sizes.length);
  const start = sizes.slice(0, index).reduce((sum, each) => sum + each, 0);
  return size === 0 ? undefined : { start, end: start + size - 1 };
}

function cut(body: Buffer, { start, end }: Range, { lies }: State): Buffer {
  if (lies.wrongRangeOffset === true) return Buffer.concat([body.subarray(1), body.subarray(0, 1)]).subarray(start, end + 1);
  return body.subarray(start, lies.truncatedRange === true ? end : end + 1);
}

function bytes(status: number, headers: Record<string, string>, body: Buffer, method: string): Answer {
  return method === 'HEAD' ? { status, headers, length: body.length } : { status, headers, body };
}

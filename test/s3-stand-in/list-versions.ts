import type { Answer, Exchange } from './exchange.ts';
import { before, display, maximumOf } from './list.ts';
import { refuse } from './refusal.ts';
import { type Bucket, sortedKeys, type Version } from './state.ts';
import { document, type Element } from './xml.ts';

/** ListObjectVersions: by key, the newest version of each first. */
export function listVersions(bucket: Bucket, { query }: Exchange): Answer {
  if (query.has('delimiter')) throw refuse('NotImplemented', { Header: 'delimiter' });
  const show = display(query);
  const prefix = query.get('prefix') ?? '';
  const maximum = maximumOf(query, 'max-keys');
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('version-id-marker');
  const rest = sortedKeys(bucket)
    .filter((key) => key.startsWith(prefix) && !before(key, keyMarker))
    .flatMap((key) => {
      const versions = [...(bucket.versions.get(key) ?? [])].reverse();
      if (keyMarker === '' || key !== keyMarker) return versions;
      return idMarker === undefined ? [] : versions.slice(versions.findIndex((each) => each.versionId === idMarker) + 1);
    });
  const page = rest.slice(0, maximum);
  const last = rest.length > page.length ? page.at(-1) : undefined;
  const entry = (version: Version): Element => ({
    Key: show(version.key),
    VersionId: version.versionId,
    IsLatest: bucket.versions.get(version.key)?.at(-1) === version,
    LastModified: new Date(version.modifiedAt).toISOString(),
    ...(version.deleteMarker ? {} : { ETag: `"${version.etag}"`, Size: version.body.length, StorageClass: version.storageClass }),
  });
  const body = {
    Name: bucket.name,
    Prefix: show(prefix),
    KeyMarker: show(keyMarker),
    VersionIdMarker: idMarker,
    NextKeyMarker: last === undefined ? undefined : show(last.key),
    NextVersionIdMarker: last?.versionId,
    MaxKeys: maximum,
    EncodingType: query.get('encoding-type'),
    IsTruncated: last !== undefined,
    Version: page.filter((version) => !version.deleteMarker).map(entry),
    DeleteMarker: page.filter((version) => version.deleteMarker).map(entry),
  };
  return { status: 200, body: document('ListVersionsResult', body) };
}

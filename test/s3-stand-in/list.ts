import { type Answer, type Exchange, encode } from './exchange.ts';
import { refuse } from './refusal.ts';
import { type Bucket, inByteOrder, type State, shown, shownAt, sortedKeys, type Version } from './state.ts';
import { document, type Element } from './xml.ts';

/** ListObjectsV2. */
export function listObjects(state: State, bucket: Bucket, { query }: Exchange): Answer {
  const show = display(query);
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  const from = token === undefined ? startAfter : readToken(token);
  const page = pageOf(state, bucket, query, from, token !== undefined);
  const body = {
    Name: bucket.name,
    Prefix: show(query.get('prefix') ?? ''),
    Delimiter: query.has('delimiter') ? show(query.get('delimiter')!) : undefined,
    StartAfter: startAfter === undefined ? undefined : show(startAfter),
    ContinuationToken: token,
    NextContinuationToken: page.next === undefined ? undefined : writeToken(page.next),
    KeyCount: page.contents.length + page.prefixes.length,
    MaxKeys: page.maximum,
    EncodingType: query.get('encoding-type'),
    IsTruncated: page.next !== undefined,
    Contents: page.contents.map((version) => contents(version, show)),
    CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: show(prefix) })),
  };
  return { status: 200, body: document('ListBucketResult', body) };
}

/** ListObjects, the first version of it. */
export function listObjectsByMarker(state: State, bucket: Bucket, { query }: Exchange): Answer {
  const show = display(query);
  const page = pageOf(state, bucket, query, query.get('marker'), true);
  const body = {
    Name: bucket.name,
    Prefix: show(query.get('prefix') ?? ''),
    Marker: show(query.get('marker') ?? ''),
    NextMarker: page.next !== undefined && query.has('delimiter') ? show(page.next) : undefined,
    Delimiter: query.has('delimiter') ? show(query.get('delimiter')!) : undefined,
    MaxKeys: page.maximum,
    EncodingType: query.get('encoding-type'),
    IsTruncated: page.next !== undefined,
    Contents: page.contents.map((version) => contents(version, show)),
    CommonPrefixes: page.prefixes.map((prefix) => ({ Prefix: show(prefix) })),
  };
  return { status: 200, body: document('ListBucketResult', body) };
}

/** How a list shows keys and prefixes: as they are, or percent-encoded. */
export function display(query: ReadonlyMap<string, string>): (text: string) => string {
  const type = query.get('encoding-type');
  if (type !== undefined && type !== 'url')
    throw refuse('InvalidArgument', { Message: 'Invalid Encoding Method specified in Request', ArgumentName: 'encoding-type' });
  return type === 'url' ? (text) => encode(text).replaceAll('%2F', '/') : (text) => text;
}

/** What a list may hold at most: what is asked for, 1,000 by default and in any case. */
export function maximumOf(query: ReadonlyMap<string, string>, name: string): number {
  const text = query.get(name) ?? '1000';
  if (!/^\d{1,9}$/.test(text))
    throw refuse('InvalidArgument', { Message: `Provided ${name} not an integer or within integer range`, ArgumentName: name });
  return Math.min(Number(text), 1000);
}

/** Whether one key comes before another by the bytes of their UTF-8. */
export function before(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
}

interface Page {
  readonly contents: readonly Version[];
  readonly prefixes: readonly string[];
  readonly maximum: number;
  /** The last entry of a page that is not the last. */
  readonly next: string | undefined;
}

/** `resumes`: `from` is an entry of the page before, and where it is a common prefix all of its keys are done. */
function pageOf(state: State, bucket: Bucket, query: ReadonlyMap<string, string>, from: string | undefined, resumes: boolean): Page {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const maximum = maximumOf(query, 'max-keys');
  const contents: Version[] = [];
  const prefixes: string[] = [];
  let last: string | undefined;
  const done = resumes && from !== undefined && delimiter !== '' && from.endsWith(delimiter) ? from : undefined;
  for (const { key, version } of candidates(state, bucket, prefix)) {
    if (from !== undefined && !before(from, key)) continue;
    if (done !== undefined && key.startsWith(done)) continue;
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const common = cut === -1 ? undefined : key.slice(0, cut + delimiter.length);
    if (common !== undefined && common === prefixes.at(-1)) continue;
    if (contents.length + prefixes.length === maximum) return { contents, prefixes, maximum, next: maximum === 0 ? undefined : last };
    if (common === undefined) contents.push(version);
    else prefixes.push(common);
    last = common ?? key;
  }
  return { contents, prefixes, maximum, next: undefined };
}

function candidates(state: State, bucket: Bucket, prefix: string): readonly { readonly key: string; readonly version: Version }[] {
  const { lies } = state;
  const at = state.clock() - (lies.lagMilliseconds ?? 2000);
  const keys = lies.staleList === true ? inByteOrder([...new Set(bucket.journal.map((entry) => entry.key))]) : sortedKeys(bucket);
  const found = keys.flatMap((key) => {
    if (!key.startsWith(prefix)) return [];
    const version = lies.staleList === true ? shownAt(bucket, key, at) : shown(bucket, key);
    return version === undefined ? [] : [{ key, version }];
  });
  return lies.listTruncatedAt1000 === true ? found.slice(0, 1000) : found;
}

function contents(version: Version, show: (text: string) => string): Element {
  return {
    Key: show(version.key),
    LastModified: new Date(version.modifiedAt).toISOString(),
    ETag: `"${version.etag}"`,
    ChecksumAlgorithm: version.checksum?.algorithm.toUpperCase(),
    Size: version.body.length,
    StorageClass: version.storageClass,
  };
}

function writeToken(key: string): string {
  return Buffer.from(`1${key}`).toString('base64url');
}

function readToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString('utf8');
  if (!text.startsWith('1') || writeToken(text.slice(1)) !== token) {
    throw refuse('InvalidArgument', { Message: 'The continuation token provided is incorrect', ArgumentName: 'continuation-token' });
  }
  return text.slice(1);
}

import { crc32 } from 'node:zlib';
import { md5 } from '../steps.ts';
import type { Call, Reply } from '../wire.ts';
import { elements, elementText, escaped } from '../xml.ts';

/**
 * Which generation of Cosmo's images sends a request: `crc32` those with an AWS SDK of 2025 and later, `md5` those
 * before (until 24 February 2026), whose requests differ.
 */
export type Generation = 'crc32' | 'md5';

export interface Artifact {
  readonly version: string;
  /** Often empty; those of `md5` leave it out then. */
  readonly signature: string;
}

/** How the controlplane writes: in one request, whatever the size. */
export function writing(key: string, body: Uint8Array, { version, signature }: Artifact, generation: Generation): Call {
  const isCrc32 = generation === 'crc32';
  return {
    method: 'PUT',
    key,
    body,
    query: { 'x-id': 'PutObject' },
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'x-amz-meta-version': version,
      ...(isCrc32 || signature !== '' ? { 'x-amz-meta-signature-sha256': signature } : {}),
      ...(isCrc32 ? { 'x-amz-sdk-checksum-algorithm': 'CRC32', 'x-amz-checksum-crc32': crc32Of(body) } : {}),
    },
    // Those before ask before every body, later ones before a long one.
    ...(!isCrc32 || body.byteLength >= longBody ? { transfer: 'expect' as const } : {}),
  };
}

/** How the cdn reads. */
export function reading(key: string, cacheControl?: string): Call {
  return {
    key,
    query: { 'x-id': 'GetObject', ...(cacheControl === undefined ? {} : { 'response-cache-control': cacheControl }) },
    headers: { 'x-amz-checksum-mode': 'ENABLED' },
  };
}

/** How the controlplane lists: without a delimiter, without a size of pages, without an encoding. */
export function listing(prefix: string, token?: string): Call {
  return { query: { 'list-type': '2', prefix, ...(token === undefined ? {} : { 'continuation-token': token }) } };
}

export interface ListedPage {
  readonly keys: readonly string[];
  readonly token: string | undefined;
}

export function pageIn({ body }: Reply): ListedPage {
  const xml = body.toString();
  return {
    keys: elements(xml, 'Contents').map((each) => elementText(each, 'Key') ?? ''),
    token: elementText(xml, 'IsTruncated') === 'true' ? (elementText(xml, 'NextContinuationToken') ?? '') : undefined,
  };
}

/** How the controlplane deletes many, with nothing but this one digest of the body. */
export function deletingMany(keys: readonly string[], generation: Generation): Call {
  const rows = keys.map((key) => `<Object><Key>${escaped(key)}</Key></Object>`).join('');
  const body = `<?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${rows}</Delete>`;
  const digest: Record<string, string> =
    generation === 'md5'
      ? { 'content-md5': md5(body) }
      : { 'x-amz-sdk-checksum-algorithm': 'CRC32', 'x-amz-checksum-crc32': crc32Of(Buffer.from(body)) };
  return {
    method: 'POST',
    query: { delete: '', ...(generation === 'md5' ? { 'x-id': 'DeleteObjects' } : {}) },
    headers: { 'content-type': 'application/xml', ...digest },
    body,
    ...(generation === 'md5' ? { transfer: 'expect' as const } : {}),
  };
}

/** How many the store says that it deleted; undefined where the controlplane would take the answer for a failure. */
export function deletedBy(reply: Reply): number | undefined {
  const xml = reply.body.toString();
  if (reply.status !== 200 || !xml.includes('<DeleteResult') || elements(xml, 'Error').length > 0) return undefined;
  return elements(xml, 'Deleted').length;
}

export function crc32Of(body: Uint8Array): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
}

/** From where on the body is asked for first. */
const longBody = 2 * 1024 ** 2;

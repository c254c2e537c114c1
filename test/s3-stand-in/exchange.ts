import type { IncomingMessage } from 'node:http';
import type { Received } from './body.ts';
import { refuse } from './refusal.ts';
import type { Grant } from './signature.ts';

/** One request, as the operations see it: authenticated, its key decoded, its body not yet read. */
export interface Exchange extends Target {
  readonly operation: string;
  /** By lower-case name; a presigned URL may carry x-amz-* in its query instead. */
  readonly headers: Readonly<Record<string, string>>;
  readonly grant: Grant;
  /** Reads the body and checks whatever the request says about it. */
  receive(): Promise<Received>;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Of a HEAD, which has no body. */
  readonly length?: number;
}

/** What a request is about. */
export interface Target {
  readonly method: string;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  /** Decoded; the last of several wins. */
  readonly query: ReadonlyMap<string, string>;
  /** As it was sent, for the signature. */
  readonly rawPath: string;
  readonly rawQuery: string;
}

/** Path style, or virtual-hosted where the host is `<bucket>.localhost`. */
export function targetOf(request: IncomingMessage): Target {
  const [rawPath = '/', ...rest] = (request.url ?? '/').split('?');
  const rawQuery = rest.join('?');
  const virtual = /^(.+)\.localhost(:\d+)?$/i.exec(request.headers.host ?? '')?.[1];
  const [, first = '', tail] = /^\/([^/]*)(?:\/(.*))?$/s.exec(rawPath) ?? [];
  const bucket = virtual ?? decode(first);
  const key = virtual === undefined ? decode(tail ?? '') : decode(rawPath.slice(1));
  if (Buffer.byteLength(key) > 1024) throw refuse('KeyTooLongError', { MaxSizeAllowed: '1024' });
  const query = new Map(pairsOf(rawQuery).map(([name, value]) => [decode(name), decode(value)] as const));
  return { method: request.method ?? 'GET', bucket: bucket || undefined, key: key || undefined, query, rawPath, rawQuery };
}

/** The names and values of a query, as they were sent. */
export function pairsOf(rawQuery: string): readonly (readonly [name: string, value: string])[] {
  return rawQuery
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      return at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    });
}

/** Percent-decoding of UTF-8; a plus sign is a plus sign. */
export function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse('InvalidURI');
  }
}

/** Percent-encoding of everything but letters, digits and `-._~`, as signatures and `encoding-type=url` want it. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

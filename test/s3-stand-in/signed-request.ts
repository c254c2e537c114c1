import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { encode, pairsOf } from './exchange.ts';
import { hmac, sha256 } from './signature.ts';
import type { StrictStore } from './strict-store.ts';

/** A request that is signed as it says, right or wrong: for what an SDK can't be made to send. */
export interface RawRequest {
  readonly method?: string;
  /** As it goes over the wire. */
  readonly path: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers that are sent and not signed. */
  readonly loose?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** What the signature says of the body; its SHA-256 by default. */
  readonly payload?: string;
  readonly date?: Date;
  readonly region?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** Signs in the query, for so many seconds. */
  readonly expires?: number;
  /** The body is made from the signature, as signed chunks are. */
  readonly bodyFor?: (signing: {
    readonly key: Buffer;
    readonly date: string;
    readonly scope: string;
    readonly signature: string;
  }) => Buffer;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The code in the error's XML. */
  readonly code: string | undefined;
}

/** Sends it whole. */
export async function sendRaw(store: StrictStore, raw: RawRequest): Promise<RawAnswer> {
  const { request, body } = startRaw(store, raw);
  const answer = answerOf(request);
  request.end(body);
  return answer;
}

/** Signs, and hands out the request before any of its body went. */
export function startRaw(store: StrictStore, raw: RawRequest): { readonly request: ClientRequest; readonly body: Buffer | undefined } {
  const { method = 'GET', path, region = store.region } = raw;
  const date = (raw.date ?? new Date()).toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`;
  const payload = raw.payload ?? (raw.expires === undefined ? sha256(raw.body ?? '') : 'UNSIGNED-PAYLOAD');
  const { host } = new URL(store.url);
  const headers: Record<string, string> = { host, ...raw.headers };
  if (raw.expires === undefined) Object.assign(headers, { 'x-amz-date': date, 'x-amz-content-sha256': payload });
  const names = Object.keys(headers).sort();
  const credential = `${raw.accessKeyId ?? store.accessKeyId}/${scope}`;
  const query = raw.expires === undefined ? (raw.query ?? '') : presignQuery(raw, { credential, date, names });
  const canonicalQuery = pairsOf(query)
    .map((pair) => pair.join('='))
    .sort()
    .join('&');
  const lines = names.map((name) => `${name}:${headers[name]}\n`).join('');
  const canonical = [method, path, canonicalQuery, lines, names.join(';'), payload].join('\n');
  const secret = raw.secretAccessKey ?? store.secretAccessKey;
  const key = scope.split('/').reduce<Buffer | string>((before, part) => hmac(before, part), `AWS4${secret}`) as Buffer;
  const signature = hmac(key, ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  const signedQuery = raw.expires === undefined ? query : `${query}&X-Amz-Signature=${signature}`;
  const body = raw.bodyFor?.({ key, date, scope, signature }) ?? (raw.body === undefined ? undefined : Buffer.from(raw.body));
  const sent: Record<string, string> = { ...headers, ...raw.loose, ...(raw.expires === undefined ? { authorization } : {}) };
  if (body !== undefined && sent['content-length'] === undefined && sent['transfer-encoding'] === undefined)
    sent['content-length'] = String(body.length);
  const request = httpRequest(store.url, {
    method,
    path: signedQuery === '' ? path : `${path}?${signedQuery}`,
    headers: sent,
    agent: false,
  });
  return { request, body };
}

/** The answer to a request; fails when the connection ends before it. */
export function answerOf(request: ClientRequest): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      text(response).then((body) => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, code: /<Code>(\w+)<\/Code>/.exec(body)?.[1] });
      }, reject);
    });
  });
}

function presignQuery(
  raw: RawRequest,
  { credential, date, names }: { credential: string; date: string; names: readonly string[] },
): string {
  const own = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': credential,
    'X-Amz-Date': date,
    'X-Amz-Expires': String(raw.expires),
    'X-Amz-SignedHeaders': names.join(';'),
  };
  const pairs = Object.entries(own).map(([name, value]) => `${name}=${encode(value)}`);
  return [...(raw.query === undefined ? [] : [raw.query]), ...pairs].join('&');
}

import { createHash, createHmac } from 'node:crypto';

/** Who signs. */
export interface SigningKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Present with temporary keys. */
  readonly sessionToken?: string;
}

/** A request as AWS Signature Version 4 sees it. */
export interface Signable {
  readonly method: string;
  /** Percent-encoded, as it is sent. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** What is signed, by lower-case name; values hold one byte in each character. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body's SHA-256 in hexadecimal, or `UNSIGNED-PAYLOAD`. */
  readonly payload: string;
  readonly date: Date;
  readonly region: string;
  /** Whose request it is; `s3` where absent. */
  readonly service?: string;
  readonly keys: SigningKeys;
}

export interface SignedRequest {
  readonly headers: Readonly<Record<string, string>>;
  /** Percent-encoded, without a question mark. */
  readonly query: string;
}

/**
 * Signs in the header. Written out here because the probes sign what an SDK refuses to sign: other dates, other
 * digests, other lengths.
 */
export function signInHeader(request: Signable): SignedRequest {
  const { keys, payload } = request;
  const headers = {
    ...request.headers,
    'x-amz-date': amzDate(request.date),
    'x-amz-content-sha256': payload,
    ...(keys.sessionToken === undefined ? {} : { 'x-amz-security-token': keys.sessionToken }),
  };
  const { credential, signedHeaders, signature } = signatureOf({ ...request, headers });
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  return { headers: { ...headers, authorization }, query: encodeQuery(request.query) };
}

/** Signs in the query, for so many seconds. */
export function signInQuery(request: Signable, expiresSeconds: number): SignedRequest {
  const { keys, headers } = request;
  const query = {
    ...request.query,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${keys.accessKeyId}/${scopeOf(request)}`,
    'X-Amz-Date': amzDate(request.date),
    'X-Amz-Expires': String(expiresSeconds),
    'X-Amz-SignedHeaders': Object.keys(headers).sort().join(';'),
    ...(keys.sessionToken === undefined ? {} : { 'X-Amz-Security-Token': keys.sessionToken }),
  };
  const { signature } = signatureOf({ ...request, query });
  return { headers, query: `${encodeQuery(query)}&X-Amz-Signature=${signature}` };
}

/** Percent-encodes everything but letters, digits and `-._~`. */
export function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function sha256(body: string | Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

function signatureOf(request: Signable): { readonly credential: string; readonly signedHeaders: string; readonly signature: string } {
  const { method, path, query, headers, payload, date, keys } = request;
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`).join('');
  const canonical = [method, path, encodeQuery(query), lines, names.join(';'), payload].join('\n');
  const scope = scopeOf(request);
  const key = scope.split('/').reduce<string | Buffer>((before, part) => hmac(before, part), `AWS4${keys.secretAccessKey}`);
  const text = ['AWS4-HMAC-SHA256', amzDate(date), scope, sha256(Buffer.from(canonical, 'latin1'))].join('\n');
  return { credential: `${keys.accessKeyId}/${scope}`, signedHeaders: names.join(';'), signature: hmac(key, text).toString('hex') };
}

/** In the order of the names, as a signature wants it: `key` before `key-type`, though `=` comes after `-`. */
function encodeQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function scopeOf({ date, region, service = 's3' }: Signable): string {
  return `${amzDate(date).slice(0, 8)}/${region}/${service}/aws4_request`;
}

function amzDate(date: Date): string {
  return date.toISOString().replace(/[-:]|\.\d+/g, '');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

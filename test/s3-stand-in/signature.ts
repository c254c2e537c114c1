import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { decode, encode, pairsOf, type Target } from './exchange.ts';
import type { Lies } from './lies.ts';
import { refuse } from './refusal.ts';

/** A key that the store knows. */
export interface Grant {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** A temporary key's, without which it is worth nothing. */
  readonly sessionToken?: string;
  readonly expiresAt?: Date;
  /** The only buckets it reaches; all of the store's own by default. */
  readonly buckets?: readonly string[];
  /** The only keys it reaches begin with this. */
  readonly keyPrefix?: string;
}

/** Who signed a request, and what the signature says about its body. */
export interface Signed {
  readonly grant: Grant;
  readonly presigned: boolean;
  /** A digest in hexadecimal, UNSIGNED-PAYLOAD or one of the STREAMING- modes. */
  readonly payload: string;
  readonly chunks: ChunkSigning;
}

/** What the signatures of chunks build on. */
export interface ChunkSigning {
  readonly key: Buffer;
  readonly date: string;
  readonly scope: string;
  readonly signature: string;
}

export interface Verifier {
  readonly region: string;
  /** Whose requests are signed; `s3` by default. */
  readonly service?: string;
  readonly clock: () => number;
  readonly lies: Lies;
  readonly grants: readonly Grant[];
}

const payloads = /^([0-9a-f]{64}|UNSIGNED-PAYLOAD|STREAMING-UNSIGNED-PAYLOAD-TRAILER|STREAMING-AWS4-HMAC-SHA256-PAYLOAD(-TRAILER)?)$/;
const skewMilliseconds = 15 * 60_000;

/** Verifies a request's AWS Signature Version 4, in its header or its query; throws a Refusal. */
export function verifySignature(request: IncomingMessage, target: Target, verifier: Verifier): Signed {
  const headers = headersOf(request);
  const authorization = headers.get('authorization');
  const presigned = target.query.has('X-Amz-Signature');
  if (authorization !== undefined && presigned) throw refuse('InvalidArgument', { Message: 'Only one auth mechanism allowed' });
  if (target.query.has('Signature') || authorization?.startsWith('AWS ') === true) {
    throw refuse('InvalidRequest', {
      Message: 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    });
  }
  if (authorization === undefined && !presigned) throw refuse('AccessDenied');
  const { service = 's3' } = verifier;
  const claim = presigned ? claimInQuery(target, service) : claimInHeader(authorization ?? '', headers, service);
  const grant = checkClaim(claim, verifier);
  checkTime(claim, verifier);
  const obeyed = presigned && verifier.lies.presignedHeadersObeyed === true;
  const loose = [...headers.keys()].filter((name) => name.startsWith('x-amz-') && !claim.signedHeaders.includes(name));
  if (loose.length > 0 && !obeyed) {
    throw refuse('AccessDenied', {
      Message: 'There were headers present in the request which were not signed',
      HeadersNotSigned: loose.join(', '),
    });
  }
  const payload = claim.payload ?? headers.get('x-amz-content-sha256') ?? (presigned ? 'UNSIGNED-PAYLOAD' : undefined);
  if (payload === undefined) throw refuse('InvalidRequest', { Message: 'Missing required header for this request: x-amz-content-sha256' });
  if (!payloads.test(payload))
    throw refuse('InvalidArgument', { Message: 'x-amz-content-sha256 is not valid', ArgumentName: 'x-amz-content-sha256' });
  const key = signingKey(grant.secretAccessKey, claim.day, verifier.region, service);
  const expected = hmac(key, stringToSign(claim, canonicalRequest(target, headers, claim, payload, presigned))).toString('hex');
  const unbound = presigned && verifier.lies.presignedLengthIgnored === true && claim.signedHeaders.includes('content-length');
  if (!same(expected, claim.signature) && !unbound && verifier.lies.badSignatureAccepted !== true) throw refuse('SignatureDoesNotMatch');
  return { grant, presigned, payload, chunks: { key, date: claim.date, scope: claim.scope, signature: claim.signature } };
}

export function hmac(key: string | Buffer, text: string | Buffer): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

export function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function same(expected: string, given: string): boolean {
  return expected.length === given.length && timingSafeEqual(Buffer.from(expected), Buffer.from(given));
}

interface Claim {
  readonly accessKeyId: string;
  readonly day: string;
  readonly region: string;
  readonly scope: string;
  readonly date: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly sessionToken: string | undefined;
  readonly expiresSeconds: number | undefined;
  readonly payload: string | undefined;
  readonly malformed: 'AuthorizationHeaderMalformed' | 'AuthorizationQueryParametersError';
}

function claimInHeader(authorization: string, headers: ReadonlyMap<string, string>, service: string): Claim {
  const malformed = 'AuthorizationHeaderMalformed';
  const found = /^AWS4-HMAC-SHA256 Credential=([^,]+),\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]+)$/.exec(authorization);
  if (found === null) throw refuse(malformed);
  const date = headers.get('x-amz-date') ?? asAmzDate(headers.get('date'));
  if (date === undefined) throw refuse('AccessDenied', { Message: 'AWS authentication requires a valid Date or x-amz-date header' });
  const [, credential = '', signedHeaders = '', signature = ''] = found;
  const sessionToken = headers.get('x-amz-security-token');
  return {
    ...credentialOf(credential, date, service, malformed),
    signedHeaders: signedHeaders.split(';'),
    signature,
    sessionToken,
    expiresSeconds: undefined,
    payload: undefined,
  };
}

function claimInQuery({ query }: Target, service: string): Claim {
  const malformed = 'AuthorizationQueryParametersError';
  const get = (name: string): string => {
    const value = query.get(name);
    if (value === undefined) throw refuse(malformed, { Message: `Query-string authentication needs ${name}` });
    return value;
  };
  if (get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') throw refuse(malformed, { Message: 'X-Amz-Algorithm only supports AWS4-HMAC-SHA256' });
  const expires = get('X-Amz-Expires');
  if (!/^\d{1,6}$/.test(expires) || Number(expires) > 604_800)
    throw refuse(malformed, { Message: 'X-Amz-Expires must be between 0 and 604800 seconds' });
  return {
    ...credentialOf(get('X-Amz-Credential'), get('X-Amz-Date'), service, malformed),
    signedHeaders: get('X-Amz-SignedHeaders').split(';'),
    signature: get('X-Amz-Signature'),
    sessionToken: query.get('X-Amz-Security-Token'),
    expiresSeconds: Number(expires),
    payload: query.get('X-Amz-Content-Sha256'),
  };
}

function credentialOf(credential: string, date: string, wanted: string, malformed: Claim['malformed']) {
  const parts = credential.split('/');
  const [terminal, service, region, day] = [parts.at(-1), parts.at(-2), parts.at(-3) ?? '', parts.at(-4) ?? ''];
  if (parts.length < 5 || terminal !== 'aws4_request' || service !== wanted)
    throw refuse(malformed, { Message: 'The credential is mal-formed' });
  if (!/^\d{8}T\d{6}Z$/.test(date) || !date.startsWith(day))
    throw refuse(malformed, { Message: 'The date of the credential is not that of the request' });
  return { accessKeyId: parts.slice(0, -4).join('/'), day, region, scope: parts.slice(-4).join('/'), date, malformed };
}

function checkClaim(claim: Claim, { grants, region, clock }: Verifier): Grant {
  const known = grants.filter((each) => each.accessKeyId === claim.accessKeyId);
  const grant = known.find((each) => each.sessionToken === claim.sessionToken) ?? known[0];
  // A temporary key without its token is nobody's.
  if (grant === undefined || (grant.sessionToken !== undefined && claim.sessionToken === undefined)) {
    throw refuse('InvalidAccessKeyId', { AWSAccessKeyId: claim.accessKeyId });
  }
  if (claim.region !== region) {
    throw refuse(claim.malformed, { Message: `The region '${claim.region}' is wrong; expecting '${region}'`, Region: region });
  }
  if (claim.sessionToken !== grant.sessionToken) throw refuse('InvalidToken');
  if (grant.expiresAt !== undefined && grant.expiresAt.getTime() <= clock()) throw refuse('ExpiredToken');
  if (!claim.signedHeaders.includes('host')) throw refuse('AccessDenied', { Message: 'The host header must be signed' });
  return grant;
}

function checkTime(claim: Claim, { clock, lies }: Verifier): void {
  const time = Date.parse(claim.date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  const now = clock();
  const serverTime = { ServerTime: new Date(now).toISOString() };
  if (claim.expiresSeconds === undefined) {
    if (Math.abs(now - time) > skewMilliseconds && lies.skewAccepted !== true) {
      throw refuse('RequestTimeTooSkewed', {
        ...serverTime,
        RequestTime: claim.date,
        MaxAllowedSkewMilliseconds: String(skewMilliseconds),
      });
    }
    return;
  }
  if (time > now + skewMilliseconds && lies.skewAccepted !== true)
    throw refuse('AccessDenied', { Message: 'Request is not yet valid', ...serverTime });
  const ends = time + claim.expiresSeconds * 1000;
  if (now > ends && lies.expiredPresignAccepted !== true) {
    throw refuse('AccessDenied', { Message: 'Request has expired', Expires: new Date(ends).toISOString(), ...serverTime });
  }
}

function canonicalRequest(target: Target, headers: ReadonlyMap<string, string>, claim: Claim, payload: string, presigned: boolean): string {
  const path = target.rawPath
    .split('/')
    .map((segment) => encode(decode(segment)))
    .join('/');
  const query = pairsOf(target.rawQuery)
    .map(([name, value]) => [encode(decode(name)), encode(decode(value))] as const)
    .filter(([name]) => !presigned || name !== 'X-Amz-Signature')
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const lines = claim.signedHeaders.map((name) => `${name}:${(headers.get(name) ?? '').trim().replace(/ +/g, ' ')}\n`);
  return [target.method, path, query, lines.join(''), claim.signedHeaders.join(';'), payload].join('\n');
}

/** Node reads header bytes as Latin-1; they are hashed as the bytes that they were. */
function stringToSign(claim: Claim, canonical: string): string {
  return ['AWS4-HMAC-SHA256', claim.date, claim.scope, sha256(Buffer.from(canonical, 'latin1'))].join('\n');
}

function signingKey(secret: string, day: string, region: string, service: string): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), 'aws4_request');
}

/** A header that came several times is one, with commas between. */
function headersOf(request: IncomingMessage): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const name = request.rawHeaders[index]!.toLowerCase();
    const value = request.rawHeaders[index + 1]!.trim();
    const before = found.get(name);
    found.set(name, before === undefined ? value : `${before},${value}`);
  }
  return found;
}

function asAmzDate(date: string | undefined): string | undefined {
  const time = Date.parse(date ?? '');
  return Number.isNaN(time) ? undefined : new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
}

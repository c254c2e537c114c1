import { type ConnectionFault, connectionFault, speaksHttps } from '../../runtime/connection-fault.ts';

/** What a failed call means, with the setting to look at. */
export interface StoreFault {
  readonly text: string;
  readonly kind?: 'full' | 'busy';
}

/** What is known of the failed call. */
export interface StoreAnswer {
  /** The store's own word (`NoSuchKey`), or the system's (`ECONNREFUSED`). */
  readonly code: string;
  readonly status: number | undefined;
  /** Where a redirect leads. */
  readonly target: string | undefined;
  /** The region that the answer names. */
  readonly otherRegion: string | undefined;
  /** The page that came instead of the XML of a store: its title, or how it begins. */
  readonly page: string | undefined;
}

export interface StorePlace {
  readonly bucket: string;
  readonly region: string;
  readonly endpointUrl: string | undefined;
}

export function explainFault(answer: StoreAnswer, place: StorePlace): StoreFault {
  const row = byCode.find(([pattern]) => pattern.test(answer.code));
  if (row !== undefined) return { text: row[1](place), ...(row[2] === undefined ? {} : { kind: row[2] }) };
  const connection = connectionFault(answer.code);
  if (connection !== undefined && answer.status === undefined) return { text: connectionText(connection) };
  return byStatus(answer, place);
}

function byStatus({ code, status, target, otherRegion, page }: StoreAnswer, { bucket, region }: StorePlace): StoreFault {
  if (status === 507) return { text: 'the store is full', kind: 'full' };
  if (status === 429) return { text: 'the store, or a proxy in front of it, asks for fewer requests', kind: 'busy' };
  if (page !== undefined && speaksHttps(page)) return { text: `${endpoint} says http, and the store speaks https: correct it to https://` };
  if (status === 413)
    return {
      text: 'a proxy in front of the store refuses bodies of this size (nginx: client_max_body_size 0); or lower ARTIFACTSTORE_S3_MULTIPART_CHUNK_BYTES',
    };
  if (status === 502 || status === 504)
    return { text: `a proxy in front of the store answered ${status}: it gets no answer from the store itself` };
  if (status === 503) return { text: 'the store, or a proxy in front of it, answered 503; it may be busy or down' };
  if (status !== undefined && status >= 500)
    return { text: `the store, or a proxy in front of it, answered ${status}; it may be busy or broken` };
  if (isRedirect(status) || regionCodes.test(code)) return { text: redirectText(status, target, otherRegion, region) };
  if (page !== undefined) return { text: notS3(status, page) };
  if (status === 403)
    return { text: 'the keys may not do that; look at their policy and at ARTIFACTSTORE_S3_ACCESS_KEY_REF or ARTIFACTSTORE_S3_ROLE_ARN' };
  if (status === 404)
    return {
      text: `the bucket "${bucket}" is not there, or this is not an S3 store; look at ARTIFACTSTORE_S3_BUCKET and ${endpoint}`,
    };
  if (status !== undefined) return { text: `the store answered ${status}; look at ${endpoint}` };
  return { text: `the connection failed; look at ${endpoint}` };
}

/** A success or a refusal that is a page: of a proxy, of the log-in of a network, of another service. */
function notS3(status: number | undefined, page: string): string {
  const said = page === '' ? '' : `: "${page}"`;
  return `the answer (${status ?? 'no status'}${said}) is not that of an S3 store; look at ${endpoint} and at what stands in front of the store`;
}

function redirectText(status: number | undefined, target: string | undefined, otherRegion: string | undefined, region: string): string {
  const redirect = status === undefined ? 'the store redirects' : `the store redirects (${status})`;
  if (otherRegion !== undefined && otherRegion !== region)
    return `the bucket is in the region "${otherRegion}", not in "${region}"; set ARTIFACTSTORE_S3_REGION to it${target === undefined ? '' : ` and look at ${endpoint} (${target})`}`;
  if (target !== undefined) return `${redirect} to ${target}; set ${endpoint} to where it belongs`;
  return `${redirect} without saying where; it expects another region than "${region}", or another address: look at ARTIFACTSTORE_S3_REGION and ${endpoint}`;
}

function connectionText(fault: ConnectionFault): string {
  if (fault.kind === 'unknown_host') return `${fault.text}; look at ${endpoint} (and ARTIFACTSTORE_S3_FORCE_PATH_STYLE)`;
  if (fault.kind === 'nobody' || fault.kind === 'no_route') return `${fault.text}; look at ${endpoint} and at the store`;
  if (fault.kind === 'cut') return `${fault.text}; where it always does, look at http or https in ${endpoint}`;
  if (fault.kind === 'slow') return `${fault.text}; look at the store, and at ${endpoint}`;
  return `${fault.text}; ${fault.remedy ?? 'look at http or https'} (${endpoint})`;
}

function isRedirect(status: number | undefined): boolean {
  return status !== undefined && status >= 300 && status < 400 && status !== 304;
}

const endpoint = 'ARTIFACTSTORE_S3_ENDPOINT_URL';
const regionCodes = /^(AuthorizationHeaderMalformed|PermanentRedirect|IllegalLocationConstraintException|InvalidRegion|TemporaryRedirect)$/;

/** First match wins. */
const byCode: readonly (readonly [code: RegExp, text: (place: StorePlace) => string, kind?: 'full' | 'busy'])[] = [
  [/^NoSuchBucket$/, ({ bucket }) => `there is no bucket "${bucket}"; make it, or correct ARTIFACTSTORE_S3_BUCKET`],
  [/^InvalidBucketName$/, ({ bucket }) => `"${bucket}" cannot be a bucket's name; correct ARTIFACTSTORE_S3_BUCKET`],
  [/^InvalidAccessKeyId$/, () => 'the access key is not known there; look at ARTIFACTSTORE_S3_ACCESS_KEY_REF'],
  [/^SignatureDoesNotMatch$/, () => 'the signature was refused; look at ARTIFACTSTORE_S3_SECRET_KEY_REF'],
  [
    /^(ExpiredToken|ExpiredTokenException|InvalidToken|TokenRefreshRequired)$/,
    () => 'the temporary keys have expired; look at what renews ARTIFACTSTORE_S3_SESSION_TOKEN_REF or at ARTIFACTSTORE_S3_ROLE_ARN',
  ],
  [
    /^AccessDenied$/,
    () =>
      'the keys are wrong or may not do that; look at ARTIFACTSTORE_S3_ACCESS_KEY_REF, ARTIFACTSTORE_S3_SECRET_KEY_REF and their policy, or at ARTIFACTSTORE_S3_ROLE_ARN',
  ],
  [/^UserSuspended$/, () => 'the user of these keys is suspended; look at ARTIFACTSTORE_S3_ACCESS_KEY_REF'],
  [/^RequestTimeTooSkewed$/, () => "this machine's clock and the store's differ too much; set the clock"],
  [
    /^(QuotaExceeded|XMinioStorageFull|XMinioAdminBucketQuotaExceeded|InsufficientStorage|StorageFull|NoSuchQuota|QuotaExceededException)$/,
    () => 'the store or its quota is full',
    'full',
  ],
  [
    /^(SlowDown|SlowDownRead|SlowDownWrite|ServiceUnavailable|Throttling|ThrottlingException|TooManyRequests|TooManyRequestsException|RequestLimitExceeded)$/,
    () => 'the store asks for fewer requests',
    'busy',
  ],
  [
    /^EntityTooLarge$/,
    () =>
      'the store takes no object of this size in one request; lower ARTIFACTSTORE_S3_MULTIPART_THRESHOLD_BYTES or ARTIFACTSTORE_S3_MULTIPART_CHUNK_BYTES',
  ],
  [/^InvalidStorageClass$/, () => 'the store does not know the storage class; look at ARTIFACTSTORE_S3_STORAGE_CLASS'],
  [
    /^(InvalidEncryptionAlgorithmError|ServerSideEncryptionConfigurationNotFoundError|KMS\.|InvalidEncryption)/,
    () => 'the store refuses the encryption; look at ARTIFACTSTORE_S3_SSE',
  ],
  [/^XAmzContentSHA256Mismatch$|^BadDigest$|^InvalidDigest$/, () => 'the bytes were changed on their way'],
  [/^(RequestTimeout|RequestTimeoutException)$/, () => 'no answer in time'],
];

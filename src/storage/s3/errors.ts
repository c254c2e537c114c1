import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { cancelled } from '../../kernel/stop.ts';
import type { Connection } from './settings.ts';

/** What a call was about, for messages. */
export interface Subject {
  /** As in "could not read". */
  readonly doing: string;
  readonly key?: string;
}

/** The parts of an SDK error that matter; any of them may be missing. */
interface SdkError {
  readonly name?: string;
  readonly Code?: string;
  readonly code?: string;
  readonly message?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly statusCode?: number };
}

/** The store's own word for what happened (`NoSuchKey`), or the system's (`ECONNREFUSED`). */
export function storeCode(error: unknown): string {
  const { name, Code, code } = error as SdkError;
  return Code ?? code ?? name ?? 'Unknown';
}

export function storeStatus(error: unknown): number | undefined {
  const { $metadata, $response } = error as SdkError;
  return $metadata?.httpStatusCode ?? $response?.statusCode;
}

/** Whether nothing is there, as far as the key goes: not when it is the bucket that is missing. */
export function isNothingThere(error: unknown): boolean {
  const code = storeCode(error);
  return code === 'NoSuchKey' || code === 'NotFound' || (storeStatus(error) === 404 && code !== 'NoSuchBucket' && code !== 'NoSuchUpload');
}

/** Whether other keys might be taken where these were not. */
export function isRefusal(error: unknown): boolean {
  return refusals.has(storeCode(error)) || (storeStatus(error) === 403 && !otherRefusals.has(storeCode(error)));
}

const refusals: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidToken',
  'InvalidAccessKeyId',
  'TokenRefreshRequired',
]);

/** Answers 403 that have nothing to do with the keys. */
const otherRefusals: ReadonlySet<string> = new Set(['QuotaExceeded', 'RequestTimeTooSkewed', 'InvalidObjectState']);

/**
 * What went wrong, in our words, with the setting to look at. Our own errors pass through. `object: 'unknown'` in its `info` means that the store did not look
 * at the object: it is too busy, or does not let these keys.
 */
export function storeError(error: unknown, subject: Subject, connection: Connection, signal: AbortSignal | undefined): unknown {
  if (isArtifactstoreError(error)) return error;
  if (signal?.aborted === true) return cancelled(signal);
  const code = storeCode(error);
  const status = storeStatus(error);
  const where = connection.endpointUrl ?? `AWS S3 in ${connection.region}`;
  const what = subject.key === undefined || subject.key === '' ? subject.doing : `${subject.doing} ${subject.key}`;
  const fault = explain(code, status, connection, (error as SdkError).message ?? '');
  return new ArtifactstoreError(
    fault.full === true ? 'storage_full' : 'storage_unavailable',
    `Could not ${what} at ${where}: ${fault.text} (${code})`,
    {
      ...(fault.busy === true || status === 403 || status === 429 || status === 503 ? { info: { object: 'unknown' } } : {}),
      cause: withoutDetails(error),
    },
  );
}

/** An answer may repeat the request, with its session token and signature; what failed before there was one cannot. */
function withoutDetails(error: unknown): unknown {
  if (!(error instanceof Error) || storeStatus(error) === undefined) return error;
  const plain = new Error(error.message);
  const { stack } = error;
  return Object.assign(plain, {
    name: error.name,
    code: storeCode(error),
    status: storeStatus(error),
    ...(stack === undefined ? {} : { stack }),
  });
}

interface Fault {
  readonly text: string;
  readonly full?: true;
  readonly busy?: true;
}

function explain(code: string, status: number | undefined, { bucket, region, endpointUrl }: Connection, message: string): Fault {
  const row = faults.find(([pattern]) => pattern.test(code));
  if (row !== undefined) return { text: row[1]({ bucket, region, endpointUrl }), ...(row[2] === undefined ? {} : { [row[2]]: true }) };
  if (status === 507) return { text: 'the store is full', full: true };
  if (status !== undefined && status >= 500)
    return { text: `the store, or a proxy before it, answered ${status}; it may be busy or broken` };
  if (/deserializ|unexpected (token|end)|is not expected|char .* is not|Unclosed|Closing tag|Start tag/i.test(message))
    return { text: 'the answer is not that of an S3 store; look at ARTIFACTSTORE_S3_ENDPOINT_URL' };
  if (status === 301 || status === 307) return { text: `the bucket is in another region; look at ARTIFACTSTORE_S3_REGION (${region})` };
  if (status === 403)
    return { text: 'the keys may not do that; look at their policy and at ARTIFACTSTORE_S3_ACCESS_KEY_REF or ARTIFACTSTORE_S3_ROLE_ARN' };
  if (status === 404)
    return {
      text: `the bucket "${bucket}" is not there, or this is not an S3 store; look at ARTIFACTSTORE_S3_BUCKET and ARTIFACTSTORE_S3_ENDPOINT_URL`,
    };
  if (status !== undefined) return { text: `the store answered ${status}; look at ARTIFACTSTORE_S3_ENDPOINT_URL` };
  return { text: 'the connection failed' };
}

type Explain = (connection: { readonly bucket: string; readonly region: string; readonly endpointUrl: string | undefined }) => string;

/** First match wins. */
const faults: readonly (readonly [code: RegExp, text: Explain, kind?: 'full' | 'busy'])[] = [
  [/^NoSuchBucket$/, ({ bucket }) => `there is no bucket "${bucket}"; make it, or correct ARTIFACTSTORE_S3_BUCKET`],
  [/^InvalidBucketName$/, ({ bucket }) => `"${bucket}" cannot be a bucket's name; correct ARTIFACTSTORE_S3_BUCKET`],
  [/^InvalidAccessKeyId$/, () => 'the access key is not known there; look at ARTIFACTSTORE_S3_ACCESS_KEY_REF'],
  [/^SignatureDoesNotMatch$/, () => 'the signature was refused; look at ARTIFACTSTORE_S3_SECRET_KEY_REF'],
  [
    /^(ExpiredToken|ExpiredTokenException|InvalidToken|TokenRefreshRequired)$/,
    () => 'the temporary keys have ended; look at what renews ARTIFACTSTORE_S3_SESSION_TOKEN_REF or at ARTIFACTSTORE_S3_ROLE_ARN',
  ],
  [
    /^AccessDenied$/,
    () =>
      'the keys are wrong or may not do that; look at ARTIFACTSTORE_S3_ACCESS_KEY_REF, ARTIFACTSTORE_S3_SECRET_KEY_REF and their policy, or at ARTIFACTSTORE_S3_ROLE_ARN',
  ],
  [/^UserSuspended$/, () => 'the user of these keys is suspended; look at ARTIFACTSTORE_S3_ACCESS_KEY_REF'],
  [/^RequestTimeTooSkewed$/, () => "this machine's clock and the store's differ too much; set the clock"],
  [
    /^(AuthorizationHeaderMalformed|PermanentRedirect|IllegalLocationConstraintException|InvalidRegion|TemporaryRedirect)$/,
    ({ region }) => `the store expects another region than "${region}"; look at ARTIFACTSTORE_S3_REGION and ARTIFACTSTORE_S3_ENDPOINT_URL`,
  ],
  [
    /^(QuotaExceeded|XMinioStorageFull|XMinioAdminBucketQuotaExceeded|InsufficientStorage|StorageFull|NoSuchQuota|QuotaExceededException)$/,
    () => 'the store or its quota is full',
    'full',
  ],
  [
    /^(SlowDown|ServiceUnavailable|Throttling|ThrottlingException|TooManyRequests|RequestLimitExceeded)$/,
    () => 'the store asks for fewer requests',
    'busy',
  ],
  [/^InvalidStorageClass$/, () => 'the store does not know the storage class; look at ARTIFACTSTORE_S3_STORAGE_CLASS'],
  [
    /^(InvalidEncryptionAlgorithmError|ServerSideEncryptionConfigurationNotFoundError|KMS\.|InvalidEncryption)/,
    () => 'the store refuses the encryption; look at ARTIFACTSTORE_S3_SSE',
  ],
  [/^XAmzContentSHA256Mismatch$|^BadDigest$|^InvalidDigest$/, () => 'the bytes were changed on their way'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, () => 'the name is not known; look at ARTIFACTSTORE_S3_ENDPOINT_URL (and ARTIFACTSTORE_S3_FORCE_PATH_STYLE)'],
  [
    /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN)$/,
    () => 'nobody answers there; look at ARTIFACTSTORE_S3_ENDPOINT_URL and at the store',
  ],
  [
    /^(EPROTO|ERR_SSL_|ERR_TLS_|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HPE_)/,
    () => 'TLS does not work there; look at http or https in ARTIFACTSTORE_S3_ENDPOINT_URL, at the certificate and NODE_EXTRA_CA_CERTS',
  ],
  [/^(TimeoutError|ETIMEDOUT|RequestTimeout|RequestTimeoutException|ESOCKETTIMEDOUT)$/, () => 'no answer in time'],
  [
    /^(ECONNRESET|EPIPE|ECONNABORTED)$/,
    () => 'the connection was cut; where it always is, look at http or https in ARTIFACTSTORE_S3_ENDPOINT_URL',
  ],
];

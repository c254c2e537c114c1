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
  /** What the names of its settings begin with. */
  readonly variables: string;
  /** The whole name of the one setting that leads to the keys, where there is one. */
  readonly keysSetting?: string;
  /** The whole name of the setting of the bucket, where it is another. */
  readonly bucketSetting?: string;
}

export function explainFault(answer: StoreAnswer, place: StorePlace): StoreFault {
  const row = byCode.find(([pattern]) => pattern.test(answer.code));
  if (row !== undefined) return { text: row[1](place), ...(row[2] === undefined ? {} : { kind: row[2] }) };
  const connection = connectionFault(answer.code);
  if (connection !== undefined && answer.status === undefined) return { text: connectionText(connection, place) };
  return byStatus(answer, place);
}

function byStatus({ code, status, target, otherRegion, page }: StoreAnswer, place: StorePlace): StoreFault {
  const {
    bucket,
    variables,
    keysSetting = `${variables}ACCESS_KEY_REF or ${variables}ROLE_ARN`,
    bucketSetting = `${variables}BUCKET`,
  } = place;
  if (status === 507) return { text: 'the store is full', kind: 'full' };
  if (status === 429) return { text: 'the store, or a proxy in front of it, asks for fewer requests', kind: 'busy' };
  if (page !== undefined && speaksHttps(page))
    return { text: `${variables}ENDPOINT_URL says http, and the store speaks https: correct it to https://` };
  if (status === 413)
    return {
      text:
        'a proxy in front of the store refuses bodies of this size (nginx: ' +
        `client_max_body_size 0); or lower ${variables}MULTIPART_CHUNK_BYTES`,
    };
  if (status === 502 || status === 504)
    return { text: `a proxy in front of the store answered ${status}: it gets no answer from the store itself` };
  if (status === 503) return { text: 'the store, or a proxy in front of it, answered 503; it may be busy or down' };
  if (status !== undefined && status >= 500)
    return { text: `the store, or a proxy in front of it, answered ${status}; it may be busy or broken` };
  if (isRedirect(status) || regionCodes.test(code)) return { text: redirectText(status, target, otherRegion, place) };
  if (page !== undefined) return { text: notS3(status, page, place) };
  if (status === 403) return { text: `the keys may not do that; look at their policy and at ${keysSetting}` };
  if (status === 404)
    return {
      text: `the bucket "${bucket}" is not there, or this is not an S3 store; look at ${bucketSetting} and ${variables}ENDPOINT_URL`,
    };
  if (status !== undefined) return { text: `the store answered ${status}; look at ${variables}ENDPOINT_URL` };
  return { text: `the connection failed; look at ${variables}ENDPOINT_URL` };
}

/** A success or a refusal that is a page: of a proxy, of the log-in of a network, of another service. */
function notS3(status: number | undefined, page: string, { variables }: StorePlace): string {
  const said = page === '' ? '' : `: "${page}"`;
  return (
    `the answer (${status ?? 'no status'}${said}) is not that of an S3 store; ` +
    `look at ${variables}ENDPOINT_URL and at what is in front of the store`
  );
}

function redirectText(
  status: number | undefined,
  target: string | undefined,
  otherRegion: string | undefined,
  { region, variables }: StorePlace,
): string {
  const redirect = status === undefined ? 'the store redirects' : `the store redirects (${status})`;
  if (otherRegion !== undefined && otherRegion !== region)
    return `the bucket is in the region "${otherRegion}", not in "${region}"; set ${variables}REGION to it${target === undefined ? '' : ` and look at ${variables}ENDPOINT_URL (${target})`}`;
  if (target !== undefined) return `${redirect} to ${target}; set ${variables}ENDPOINT_URL to where it belongs`;
  return (
    `${redirect} without saying where; it expects another region than "${region}", ` +
    `or another address: look at ${variables}REGION and ${variables}ENDPOINT_URL`
  );
}

function connectionText(fault: ConnectionFault, { variables }: StorePlace): string {
  if (fault.kind === 'unknown_host') return `${fault.text}; look at ${variables}ENDPOINT_URL (and ${variables}FORCE_PATH_STYLE)`;
  if (fault.kind === 'nobody' || fault.kind === 'no_route') return `${fault.text}; look at ${variables}ENDPOINT_URL and at the store`;
  if (fault.kind === 'cut') return `${fault.text}; where it always does, look at http or https in ${variables}ENDPOINT_URL`;
  if (fault.kind === 'slow') return `${fault.text}; look at the store, and at ${variables}ENDPOINT_URL`;
  return `${fault.text}; ${fault.remedy ?? 'look at http or https'} (${variables}ENDPOINT_URL)`;
}

function isRedirect(status: number | undefined): boolean {
  return status !== undefined && status >= 300 && status < 400 && status !== 304;
}

const regionCodes = /^(AuthorizationHeaderMalformed|PermanentRedirect|IllegalLocationConstraintException|InvalidRegion|TemporaryRedirect)$/;

/** First match wins. */
const byCode: readonly (readonly [code: RegExp, text: (place: StorePlace) => string, kind?: 'full' | 'busy'])[] = [
  [
    /^NoSuchBucket$/,
    ({ bucket, variables, bucketSetting = `${variables}BUCKET` }) => `there is no bucket "${bucket}"; make it, or correct ${bucketSetting}`,
  ],
  [
    /^InvalidBucketName$/,
    ({ bucket, variables, bucketSetting = `${variables}BUCKET` }) => `"${bucket}" cannot be a bucket's name; correct ${bucketSetting}`,
  ],
  [
    /^InvalidAccessKeyId$/,
    ({ variables, keysSetting = `${variables}ACCESS_KEY_REF` }) => `the access key is not known there; look at ${keysSetting}`,
  ],
  [
    /^SignatureDoesNotMatch$/,
    ({ variables, keysSetting = `${variables}SECRET_KEY_REF` }) => `the signature was refused; look at ${keysSetting}`,
  ],
  [
    /^(ExpiredToken|ExpiredTokenException|InvalidToken|TokenRefreshRequired)$/,
    ({ variables, keysSetting = `${variables}SESSION_TOKEN_REF or at ${variables}ROLE_ARN` }) =>
      `the temporary keys have expired; look at what renews ${keysSetting}`,
  ],
  [
    /^AccessDenied$/,
    ({ variables, keysSetting }) =>
      `the keys are wrong or may not do that; look at ${
        keysSetting === undefined
          ? `${variables}ACCESS_KEY_REF, ${variables}SECRET_KEY_REF and their policy, or at ${variables}ROLE_ARN`
          : `${keysSetting} and their policy`
      }`,
  ],
  [
    /^UserSuspended$/,
    ({ variables, keysSetting = `${variables}ACCESS_KEY_REF` }) => `the user of these keys is suspended; look at ${keysSetting}`,
  ],
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
    ({ variables }) =>
      'the store takes no object of this size in one request; lower ' +
      `${variables}MULTIPART_THRESHOLD_BYTES or ${variables}MULTIPART_CHUNK_BYTES`,
  ],
  [/^InvalidStorageClass$/, ({ variables }) => `the store does not know the storage class; look at ${variables}STORAGE_CLASS`],
  [
    /^(InvalidEncryptionAlgorithmError|ServerSideEncryptionConfigurationNotFoundError|KMS\.|InvalidEncryption)/,
    ({ variables }) => `the store refuses the encryption; look at ${variables}SSE`,
  ],
  [/^XAmzContentSHA256Mismatch$|^BadDigest$|^InvalidDigest$/, () => 'the bytes were changed on their way'],
  [/^(RequestTimeout|RequestTimeoutException)$/, () => 'no answer in time'],
];

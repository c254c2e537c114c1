import { resolve } from 'node:path';
import { parseHttpUrl } from './http-url.ts';
import type { Settings } from './settings.ts';

export interface S3BackendConfig {
  readonly kind: 's3';
  readonly id: string;
  /** Undefined means AWS itself, in `region`. */
  readonly endpointUrl: string | undefined;
  readonly region: string;
  readonly bucket: string;
  /** Without a slash at either end; empty for none. */
  readonly keyPrefix: string;
  readonly storageClass: string | undefined;
  readonly serverSideEncryption: 'AES256' | 'aws:kms' | undefined;
  readonly forcePathStyle: boolean;
  readonly multipartThresholdBytes: number;
  readonly multipartChunkBytes: number;
  /** What `storage certify --save` found out about the store; the file need not be there. */
  readonly profilePath: string;
  readonly credentials: StaticKeysConfig | WebIdentityConfig;
}

export interface StaticKeysConfig {
  readonly kind: 'static';
  /** `env:NAME` or `file:/path`. */
  readonly accessKeyRef: string;
  readonly secretKeyRef: string;
  readonly sessionTokenRef: string | undefined;
}

export interface WebIdentityConfig {
  readonly kind: 'web-identity';
  readonly stsEndpointUrl: string | undefined;
  readonly roleArn: string;
  readonly webIdentityTokenFile: string;
  readonly sessionDurationSeconds: number;
}

/** Everything is checked even while no backend uses it, so that a mistake shows before it matters; what is missing is said only when one does. */
export function readS3(settings: Settings, directory: string, used: boolean): S3BackendConfig {
  const required = (name: string, value: string, why: string): string => {
    if (used && value === '') settings.refuse(name, `is not set, and ${why} needs it`);
    return value;
  };
  const optionalUrl = (name: string) => settings.parsed(name, '', (text) => (text === '' ? undefined : parseHttpUrl(text)));
  const optional = (name: string) => settings.parsed(name, '', (text) => (text === '' ? undefined : text));
  const endpointUrl = optionalUrl('S3_ENDPOINT_URL');
  const multipartChunkBytes = settings.integer('S3_MULTIPART_CHUNK_BYTES', 8_388_608, { from: smallestPart, to: 268_435_456 });
  return {
    kind: 's3',
    id: 's3',
    endpointUrl,
    region: settings.text('S3_REGION', 'us-east-1'),
    bucket: required('S3_BUCKET', settings.text('S3_BUCKET', ''), 'the backend "s3"'),
    keyPrefix: settings.parsed('S3_KEY_PREFIX', '', parseKeyPrefix),
    storageClass: optional('S3_STORAGE_CLASS'),
    serverSideEncryption: settings.parsed('S3_SSE', '', (text) => {
      if (text === '') return undefined;
      if (text === 'AES256' || text === 'aws:kms') return text;
      throw new Error(`"${text}" is not one of AES256, aws:kms`);
    }),
    forcePathStyle: settings.boolean('S3_FORCE_PATH_STYLE', true),
    multipartThresholdBytes: settings.integer('S3_MULTIPART_THRESHOLD_BYTES', 67_108_864, { from: smallestPart, to: largestPut }),
    multipartChunkBytes,
    profilePath: resolve(directory, settings.text('S3_PROFILE_PATH', './var/s3-profile.json')),
    credentials: readCredentials(settings, directory, used, required, optionalUrl, endpointUrl),
  };
}

function readCredentials(
  settings: Settings,
  directory: string,
  used: boolean,
  required: (name: string, value: string, why: string) => string,
  optionalUrl: (name: string) => string | undefined,
  endpointUrl: string | undefined,
): S3BackendConfig['credentials'] {
  const chosen = settings.text('S3_CREDENTIALS', '') !== '';
  const kind = settings.oneOf('S3_CREDENTIALS', 'static', ['static', 'web-identity']);
  const accessKeyRef = settings.reference('S3_ACCESS_KEY_REF') ?? '';
  const secretKeyRef = settings.reference('S3_SECRET_KEY_REF') ?? '';
  const sessionTokenRef = settings.reference('S3_SESSION_TOKEN_REF');
  const stsEndpointUrl = optionalUrl('S3_STS_ENDPOINT_URL') ?? endpointUrl;
  const roleArn = settings.text('S3_ROLE_ARN', '');
  const tokenFile = settings.text('S3_WEB_IDENTITY_TOKEN_FILE', '');
  const sessionDurationSeconds = settings.integer('S3_SESSION_DURATION_SECONDS', 3600, { from: 1, to: 43_200 });
  // One of both may wait for the day on which it is needed; but which one is used must then be said.
  if (used && !chosen && roleArn !== '')
    settings.refuse('S3_ROLE_ARN', 'is set, and ARTIFACTSTORE_S3_CREDENTIALS is not: set it to web-identity, or to static for other keys');
  if (kind === 'static')
    return {
      kind: 'static',
      accessKeyRef: required('S3_ACCESS_KEY_REF', accessKeyRef, 'ARTIFACTSTORE_S3_CREDENTIALS=static'),
      secretKeyRef: required('S3_SECRET_KEY_REF', secretKeyRef, 'ARTIFACTSTORE_S3_CREDENTIALS=static'),
      sessionTokenRef,
    };
  return {
    kind: 'web-identity',
    stsEndpointUrl,
    roleArn: required('S3_ROLE_ARN', roleArn, 'ARTIFACTSTORE_S3_CREDENTIALS=web-identity'),
    webIdentityTokenFile: resolve(
      directory,
      required('S3_WEB_IDENTITY_TOKEN_FILE', tokenFile, 'ARTIFACTSTORE_S3_CREDENTIALS=web-identity'),
    ),
    sessionDurationSeconds,
  };
}

function parseKeyPrefix(text: string): string {
  const prefix = text.replace(/^\/+|\/+$/g, '');
  if (prefix.split('/').some((segment) => segment === '.' || segment === '..' || (segment === '' && prefix !== '')))
    throw new Error(`"${text}" has an empty, "." or ".." part`);
  if (Buffer.byteLength(prefix) > 512) throw new Error('is longer than 512 bytes');
  return prefix;
}

/** S3 takes no smaller part but the last. */
const smallestPart = 5_242_880;
/** What S3 takes in one request. */
const largestPut = 5_368_709_120;

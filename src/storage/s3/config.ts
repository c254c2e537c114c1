import { resolve } from 'node:path';
import type { CredentialsConfig } from '../../credentials/CREDENTIALS.ts';
import { parseHttpUrl } from '../../protocol/http-url.ts';
import { type BackendConfig, type BackendSettings, type NamedBackend, settingPart } from '../kind.ts';

export const s3Kind = 's3';

export interface S3BackendConfig extends BackendConfig {
  readonly kind: typeof s3Kind;
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
  /** Whether senders of write sessions are given addresses of the store; it takes a certificate at `profilePath`. */
  readonly presignedUploads: boolean;
  readonly credentials: CredentialsConfig;
}

/** Of any backend of a configuration. */
export function isS3(backend: BackendConfig): backend is S3BackendConfig {
  return backend.kind === s3Kind;
}

/**
 * Everything is checked even while no backend uses it, so that a mistake shows before it matters; what is missing is
 * said only when one does.
 */
export function readS3(all: BackendSettings, { id, directory, used }: NamedBackend): S3BackendConfig {
  if (namesThatClash.includes(id)) all.refuse('STORAGE_BACKENDS', `"${id}" cannot be the name of a backend of the kind "${s3Kind}"`);
  const settings = below(all, id);
  const required = (name: string, value: string, why: string): string => {
    if (used && value === '') settings.refuse(name, `is not set, and ${why} needs it`);
    return value;
  };
  const optionalUrl = (name: string) => settings.parsed(name, '', (text) => (text === '' ? undefined : parseHttpUrl(text)));
  const optional = (name: string) => settings.parsed(name, '', (text) => (text === '' ? undefined : text));
  const endpointUrl = optionalUrl('ENDPOINT_URL');
  if (used)
    settings.refuseForeignSecrets(
      ['ENDPOINT_URL', 'STS_ENDPOINT_URL'],
      ['ACCESS_KEY_REF', 'SECRET_KEY_REF', 'SESSION_TOKEN_REF', 'WEB_IDENTITY_TOKEN_FILE'],
    );
  const multipartChunkBytes = settings.integer('MULTIPART_CHUNK_BYTES', 8_388_608, { from: smallestPart, to: 268_435_456 });
  return {
    kind: s3Kind,
    id,
    endpointUrl,
    region: settings.parsed('REGION', 'us-east-1', parseRegion),
    bucket: required('BUCKET', settings.text('BUCKET', ''), `the backend "${id}"`),
    keyPrefix: settings.parsed('KEY_PREFIX', '', parseKeyPrefix),
    storageClass: optional('STORAGE_CLASS'),
    serverSideEncryption: settings.parsed('SSE', '', (text) => {
      if (text === '') return undefined;
      if (text === 'AES256' || text === 'aws:kms') return text;
      throw new Error(`"${text}" is not one of AES256, aws:kms`);
    }),
    forcePathStyle: settings.boolean('FORCE_PATH_STYLE', true),
    multipartThresholdBytes: settings.integer('MULTIPART_THRESHOLD_BYTES', 67_108_864, { from: smallestPart, to: largestPut }),
    multipartChunkBytes,
    profilePath: resolve(directory, settings.text('PROFILE_PATH', id === s3Kind ? './var/s3-profile.json' : `./var/s3-${id}-profile.json`)),
    presignedUploads: settings.boolean('PRESIGNED_UPLOADS', false),
    credentials: readCredentials(settings, directory, used, required, optionalUrl, endpointUrl),
  };
}

/** What the names of a backend's settings begin with. */
export function variablesOf({ id }: Pick<S3BackendConfig, 'id'>): string {
  return `ARTIFACTSTORE_S3_${settingPart({ kind: s3Kind, id })}`;
}

/** The settings of one backend, by the names that all of them share. */
function below(settings: BackendSettings, id: string): BackendSettings & { readonly variables: string } {
  const name = (own: string): string => `S3_${settingPart({ kind: s3Kind, id })}${own}`;
  return {
    variables: variablesOf({ id }),
    text: (own, initial) => settings.text(name(own), initial),
    integer: (own, initial, bounds) => settings.integer(name(own), initial, bounds),
    boolean: (own, initial) => settings.boolean(name(own), initial),
    oneOf: (own, initial, values) => settings.oneOf(name(own), initial, values),
    parsed: (own, initial, parse) => settings.parsed(name(own), initial, parse),
    reference: (own) => settings.reference(name(own)),
    refuseForeignSecrets: (addresses, secrets) => settings.refuseForeignSecrets(addresses.map(name), secrets.map(name)),
    refuse: (own, text) => settings.refuse(name(own), text),
  };
}

function readCredentials(
  settings: BackendSettings & { readonly variables: string },
  directory: string,
  used: boolean,
  required: (name: string, value: string, why: string) => string,
  optionalUrl: (name: string) => string | undefined,
  endpointUrl: string | undefined,
): CredentialsConfig {
  const chosen = settings.text('CREDENTIALS', '') !== '';
  const kind = settings.oneOf('CREDENTIALS', 'static', ['static', 'generation', 'web-identity']);
  const accessKeyRef = settings.reference('ACCESS_KEY_REF') ?? '';
  const secretKeyRef = settings.reference('SECRET_KEY_REF') ?? '';
  const sessionTokenRef = settings.reference('SESSION_TOKEN_REF');
  const generations = settings.text('GENERATIONS', '');
  const role = settings.oneOf('GENERATIONS_ROLE', 'proxy', ['admin', 'proxy']) === 'admin' ? 'admin' : 'proxy';
  const storeTokenRef = settings.reference('GENERATIONS_TOKEN_REF') ?? '';
  const stsEndpointUrl = optionalUrl('STS_ENDPOINT_URL') ?? endpointUrl;
  const roleArn = settings.text('ROLE_ARN', '');
  const tokenFile = settings.text('WEB_IDENTITY_TOKEN_FILE', '');
  const sessionDurationSeconds = settings.integer('SESSION_DURATION_SECONDS', 3600, { from: 1, to: 43_200 });
  // One of both may wait for the day on which it is needed; but which one is used must then be said.
  if (used && !chosen && roleArn !== '')
    settings.refuse('ROLE_ARN', `is set, and ${settings.variables}CREDENTIALS is not: set it to web-identity, or to static for other keys`);
  if (kind === 'static')
    return {
      kind: 'static',
      accessKeyRef: required('ACCESS_KEY_REF', accessKeyRef, `${settings.variables}CREDENTIALS=static`),
      secretKeyRef: required('SECRET_KEY_REF', secretKeyRef, `${settings.variables}CREDENTIALS=static`),
      sessionTokenRef,
    };
  if (kind === 'generation')
    return {
      kind: 'generation',
      store: required('GENERATIONS', generations, `${settings.variables}CREDENTIALS=generation`),
      role,
      storeTokenRef,
    };
  return {
    kind: 'web-identity',
    stsEndpointUrl,
    // A store of one's own may read from the token what it allows; AWS and some others never do.
    roleArn: (stsEndpointUrl === undefined ? required('ROLE_ARN', roleArn, 'AWS itself') : roleArn) || undefined,
    webIdentityTokenFile: resolve(
      directory,
      required('WEB_IDENTITY_TOKEN_FILE', tokenFile, `${settings.variables}CREDENTIALS=web-identity`),
    ),
    sessionDurationSeconds,
  };
}

/** It stands in the names of hosts: with a dot or a slash it could make another host of them. */
function parseRegion(text: string): string {
  if (!/^[A-Za-z0-9_-]{1,63}$/.test(text)) throw new Error(`"${text}" is not a region: letters, digits, "-" and "_"`);
  return text;
}

function parseKeyPrefix(text: string): string {
  const prefix = text.replace(/^\/+|\/+$/g, '');
  if (prefix.split('/').some((segment) => segment === '.' || segment === '..' || (segment === '' && prefix !== '')))
    throw new Error(`"${text}" has an empty, "." or ".." part`);
  if (Buffer.byteLength(prefix) > 512) throw new Error('is longer than 512 bytes');
  return prefix;
}

/** `S3_STS_ENDPOINT_URL` would be the setting of two. */
const namesThatClash: readonly string[] = ['sts'];
/** S3 takes no smaller part but the last. */
const smallestPart = 5_242_880;
/** What S3 takes in one request. */
const largestPut = 5_368_709_120;

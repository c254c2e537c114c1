import { openWorkplace, type Workplace } from '../cli/workplace.ts';
import type { RealStore } from './store.ts';
import type { Exchange } from './web-identity.ts';

export const keyPrefix = 'registry/of-tests';

export interface PlaceOptions {
  /** Short-lived keys of this role; the owner's keys where absent. */
  readonly identity?: Exchange | undefined;
  readonly databaseUrl?: string | undefined;
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * A folder in which the command line keeps its bytes in a bucket and nowhere else. Packages of the class `brief` end
 * after a second.
 */
export function openPlace(store: RealStore, bucket: string, options: PlaceOptions = {}): Workplace {
  const place = openWorkplace({
    ...settingsFor(store, bucket, options.identity),
    ARTIFACTSTORE_RETENTION_CONFIG_PATH: 'retention.toml',
    ...(options.databaseUrl === undefined ? {} : { ARTIFACTSTORE_DATABASE_URL: options.databaseUrl }),
    ...options.environment,
  });
  place.write({ 'retention.toml': '[retention_classes.brief]\ndefault_duration_seconds = 1\n' });
  return place;
}

/** What says that bytes go to the bucket, and with which keys. */
export function settingsFor(
  store: Pick<RealStore, 'url' | 'region' | 'keys'>,
  bucket: string,
  identity?: Exchange,
): Readonly<Record<string, string>> {
  return {
    ARTIFACTSTORE_STORAGE_BACKENDS: 's3',
    ARTIFACTSTORE_STORAGE_DEFAULT_BACKEND: 's3',
    ARTIFACTSTORE_S3_ENDPOINT_URL: store.url,
    ARTIFACTSTORE_S3_REGION: store.region,
    ARTIFACTSTORE_S3_BUCKET: bucket,
    ARTIFACTSTORE_S3_KEY_PREFIX: keyPrefix,
    ARTIFACTSTORE_S3_MULTIPART_THRESHOLD_BYTES: '8388608',
    ARTIFACTSTORE_S3_MULTIPART_CHUNK_BYTES: '5242880',
    ...(identity === undefined ? keysOf(store) : roleOf(identity)),
  };
}

function keysOf({ keys }: Pick<RealStore, 'keys'>): Readonly<Record<string, string>> {
  return {
    ARTIFACTSTORE_S3_ACCESS_KEY_REF: 'env:STORE_ACCESS_KEY',
    ARTIFACTSTORE_S3_SECRET_KEY_REF: 'env:STORE_SECRET_KEY',
    STORE_ACCESS_KEY: keys.accessKeyId,
    STORE_SECRET_KEY: keys.secretAccessKey,
  };
}

function roleOf({ roleArn, stsEndpointUrl, tokenFile }: Exchange): Readonly<Record<string, string>> {
  return {
    ARTIFACTSTORE_S3_CREDENTIALS: 'web-identity',
    ARTIFACTSTORE_S3_STS_ENDPOINT_URL: stsEndpointUrl,
    ...(roleArn === undefined ? {} : { ARTIFACTSTORE_S3_ROLE_ARN: roleArn }),
    ARTIFACTSTORE_S3_WEB_IDENTITY_TOKEN_FILE: tokenFile,
  };
}

import type { BackendParts } from '../kind.ts';
import { requireCertified } from './certified.ts';
import { type S3BackendConfig, variablesOf } from './config.ts';
import { readProfile } from './profile.ts';
import { openS3Storage, type S3Storage } from './s3.ts';
import { type Connection, type Dialect, defaultDialect, endpointOf, type PresignedUploads } from './settings.ts';

/**
 * A configured bucket, as a backend. References to credentials must lead somewhere by now; whether the store takes them
 * shows at the first call.
 */
export async function openS3(backend: S3BackendConfig, parts: BackendParts): Promise<S3Storage> {
  const connection = s3Connection(backend, parts);
  if (backend.credentials.kind !== 'web-identity') await connection.credentials.keys();
  const settings = {
    ...connection,
    id: backend.id,
    keyPrefix: backend.keyPrefix,
    storageClass: backend.storageClass,
    serverSideEncryption: backend.serverSideEncryption,
    multipartThresholdBytes: backend.multipartThresholdBytes,
    multipartChunkBytes: backend.multipartChunkBytes,
    dialect: await dialectOf(backend),
    ...(backend.presignedUploads ? await presignedUploads(backend, parts) : {}),
  };
  const { onBytesKept } = parts;
  return openS3Storage(settings, onBytesKept === undefined ? {} : { onBytesKept });
}

/** A command that gives nobody an address works without a certificate too: a backup must not wait for one. */
async function presignedUploads(
  backend: S3BackendConfig,
  { givesAddresses = true }: BackendParts,
): Promise<{ readonly presigned?: PresignedUploads }> {
  try {
    return { presigned: await requireCertified(backend) };
  } catch (error) {
    if (givesAddresses) throw error;
    return {};
  }
}

/** As the store's certificate says, where there is one of this bucket; else what all stores that we know take. */
export async function dialectOf(backend: S3BackendConfig): Promise<Dialect> {
  const profile = await readProfile(backend.profilePath, variablesOf(backend));
  if (profile !== undefined && profile.endpointUrl === endpointOf(backend) && profile.bucket === backend.bucket) return profile.dialect;
  return dialectWithoutProfile(backend);
}

/** What temporary keys write belongs to whoever they stand for, and the bucket's owner may not be able to read it. */
export function dialectWithoutProfile(backend: S3BackendConfig): Dialect {
  return { ...defaultDialect, ownerAcl: backend.credentials.kind === 'web-identity' };
}

/** Where the store is, and the keys for it. */
export function s3Connection(backend: S3BackendConfig, parts: BackendParts): Connection {
  const { bucket, endpointUrl, forcePathStyle, region } = backend;
  const variables = variablesOf(backend);
  return {
    bucket,
    endpointUrl,
    forcePathStyle,
    region,
    variables,
    ...(backend.credentials.kind === 'generation' ? { keysSetting: `${variables}GENERATIONS` } : {}),
    credentials: parts.credentials(backend.credentials, { region, variables }),
  };
}

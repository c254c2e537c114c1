import type { Certificate } from '../certify/certificate.ts';
import { type CertifyOptions, certifyStore } from '../certify/certify.ts';
import type { Config } from '../config/config.ts';
import { staticCredentials } from '../credentials/static.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { tryProfilePath, writeProfile } from '../storage/s3/profile.ts';
import type { Connection } from '../storage/s3/settings.ts';
import { version } from '../version.ts';
import { dialectOf, dialectWithoutProfile, s3Connection } from './open-s3.ts';

type Options = Pick<CertifyOptions, 'families' | 'onProbe' | 'reach' | 'signal'>;

export interface Place {
  readonly endpointUrl: string;
  readonly bucket: string;
  readonly region: string;
  readonly keyPrefix: string;
  readonly forcePathStyle: boolean;
  readonly credentials: References;
}

/** `env:NAME` or `file:/path`. */
export interface References {
  readonly accessKeyRef: string;
  readonly secretKeyRef: string;
  readonly sessionTokenRef: string | undefined;
}

export interface CertifyS3Options extends Options {
  /** The configured S3 backend where absent. */
  readonly place?: Place;
  /** The keys of the bucket's owner. */
  readonly owner?: References;
  /** Writes what was found of the configured backend where it looks for it. */
  readonly save?: boolean;
  /** Told what was found before it is saved, so that it is not lost when saving fails. */
  readonly onCertificate?: (certificate: Certificate) => void;
  /** What `env:` references are looked up in. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Certifies the configured S3 backend, or any other place. */
export async function certifyS3(config: Config, options: CertifyS3Options): Promise<Certificate> {
  const { place, owner, save = false, onCertificate, environment, ...rest } = options;
  const backend = config.backends.find((each) => each.kind === 's3');
  if (place === undefined && backend === undefined)
    throw new ArtifactstoreError('invalid_configuration', 'There is no S3 backend to certify.', {
      info: { hint: 'name s3 in ARTIFACTSTORE_STORAGE_BACKENDS and set ARTIFACTSTORE_S3_BUCKET, or give --endpoint and --bucket' },
    });
  const saved = save && place === undefined ? backend?.profilePath : undefined;
  if (saved !== undefined) await tryProfilePath(saved);
  const connection: Connection =
    place === undefined
      ? s3Connection(backend!, config.referenced)
      : { ...place, credentials: staticCredentials(place.credentials, { environment }) };
  const ownerConnection = owner && {
    ...connection,
    credentials: staticCredentials(owner, { environment: { ...config.referenced, ...environment } }),
  };
  const certificate = await certifyStore({
    ...rest,
    connection,
    keyPrefix: place?.keyPrefix ?? backend?.keyPrefix ?? '',
    ...(ownerConnection === undefined ? {} : { ownerConnection }),
    // A certificate that did not ask for something changes nothing about it. One that cannot be read is replaced.
    ...(place === undefined && backend !== undefined
      ? { assumed: await dialectOf(backend).catch(() => dialectWithoutProfile(backend)) }
      : {}),
    version,
  });
  onCertificate?.(certificate);
  if (saved !== undefined) await writeProfile(saved, certificate);
  return certificate;
}

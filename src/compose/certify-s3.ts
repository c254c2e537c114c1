import type { Certificate } from '../certify/certificate.ts';
import { type CertifyOptions, certifyStore } from '../certify/certify.ts';
import type { Config } from '../config/config.ts';
import { staticCredentials } from '../credentials/static.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { isS3, type S3BackendConfig, variablesOf } from '../storage/s3/config.ts';
import { dialectOf, dialectWithoutProfile, s3Connection } from '../storage/s3/configured.ts';
import { tryProfilePath, writeProfile } from '../storage/s3/profile.ts';
import type { Connection } from '../storage/s3/settings.ts';
import { version } from '../version.ts';
import { credentialsFor, storeOfSecrets } from './open-store.ts';

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
  /** Which of several configured ones. */
  readonly backendId?: string;
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
  const { place, backendId, owner, save = false, onCertificate, environment, ...rest } = options;
  const backend = place === undefined ? configured(config, backendId) : undefined;
  const saved = save ? backend : undefined;
  if (saved !== undefined) await tryProfilePath(saved.profilePath, variablesOf(saved));
  await using opened = new AsyncDisposableStack();
  const secrets = storeOfSecrets(config);
  opened.defer(() => secrets?.close());
  const connection: Connection =
    backend !== undefined
      ? s3Connection(backend, credentialsFor(config, secrets))
      : { ...place!, credentials: staticCredentials(place!.credentials, { environment }) };
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
    ...(backend !== undefined ? { assumed: await dialectOf(backend).catch(() => dialectWithoutProfile(backend)) } : {}),
    version,
  });
  onCertificate?.(certificate);
  if (saved !== undefined) await writeProfile(saved.profilePath, certificate, variablesOf(saved));
  return certificate;
}

function configured({ backends }: Config, id: string | undefined): S3BackendConfig {
  const buckets = backends.filter(isS3);
  const found = id === undefined && buckets.length === 1 ? buckets[0] : buckets.find((each) => each.id === id);
  if (found !== undefined) return found;
  const ids = buckets.map((each) => each.id).join(', ');
  if (id !== undefined)
    throw new ArtifactstoreError(
      'invalid_configuration',
      `"${id}" is not one of the S3 backends that are configured${ids === '' ? '' : `: ${ids}`}.`,
      {
        info: { hint: 'name it in ARTIFACTSTORE_STORAGE_BACKENDS, or give the name of another in --backend' },
      },
    );
  throw new ArtifactstoreError(
    'invalid_configuration',
    buckets.length === 0 ? 'There is no S3 backend to certify.' : `There are several S3 backends: ${ids}.`,
    {
      info: {
        hint:
          buckets.length === 0
            ? 'name s3 in ARTIFACTSTORE_STORAGE_BACKENDS and set ARTIFACTSTORE_S3_BUCKET, or give --endpoint and --bucket'
            : `name one: --backend ${buckets[0]!.id}`,
      },
    },
  );
}

import { staticCredentials } from '../../src/credentials/static.ts';
import { defaultDialect, type S3Settings } from '../../src/storage/s3/settings.ts';
import type { RealStore, StoreKeys } from './store.ts';

/** A backend's settings for a bucket of the store, with the owner's keys; objects of 5 MiB and more go in parts. */
export function settingsOf(store: RealStore, bucket: string, changes: Partial<S3Settings> = {}): S3Settings {
  return {
    id: 's3',
    endpointUrl: store.url,
    region: store.region,
    bucket,
    forcePathStyle: true,
    credentials: credentialsOf(store.keys),
    keyPrefix: '',
    storageClass: undefined,
    serverSideEncryption: undefined,
    multipartThresholdBytes: 5_242_880,
    multipartChunkBytes: 5_242_880,
    dialect: defaultDialect,
    ...changes,
  };
}

export function credentialsOf(keys: StoreKeys): S3Settings['credentials'] {
  const environment = { ACCESS: keys.accessKeyId, SECRET: keys.secretAccessKey };
  return staticCredentials({ accessKeyRef: 'env:ACCESS', secretKeyRef: 'env:SECRET' }, { environment });
}

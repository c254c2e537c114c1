import { openS3Storage, type S3Options, type S3Storage } from '../../src/storage/s3/s3.ts';
import { defaultDialect, type S3Settings } from '../../src/storage/s3/settings.ts';
import { openStrictStore, type StrictStore, type StrictStoreOptions } from '../s3-stand-in/strict-store.ts';

export interface OpenedS3 extends AsyncDisposable {
  readonly store: StrictStore;
  readonly storage: S3Storage;
  close(): Promise<void>;
}

export interface OpenS3Options {
  readonly store?: StrictStoreOptions;
  readonly settings?: Partial<S3Settings>;
  readonly calls?: S3Options;
}

/** A backend on a strict store of its own. */
export async function openS3OnStrictStore({ store: storeOptions, settings, calls }: OpenS3Options = {}): Promise<OpenedS3> {
  const store = await openStrictStore(storeOptions);
  const keys = { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey };
  const storage = openS3Storage(
    {
      id: 's3',
      endpointUrl: store.url,
      region: store.region,
      bucket: 'artifacts',
      forcePathStyle: true,
      keyPrefix: 'registry/one',
      storageClass: undefined,
      serverSideEncryption: undefined,
      multipartThresholdBytes: 67_108_864,
      multipartChunkBytes: 8_388_608,
      credentials: { keys: async () => keys, refused: () => undefined },
      dialect: defaultDialect,
      ...settings,
    },
    calls,
  );
  const close = async () => {
    storage.close();
    await store.close();
  };
  return { store, storage, close, [Symbol.asyncDispose]: close };
}

import type { Keys } from '../../src/credentials/CREDENTIALS.ts';
import type { Connection } from '../../src/storage/s3/settings.ts';
import type { StrictStore } from '../s3-stand-in/strict-store.ts';

/** The bucket `artifacts`, with keys that stay as they are. */
export function connectionTo(store: StrictStore, { accessKeyId, secretAccessKey, sessionToken }: Keys): Connection {
  const keys: Keys = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  return {
    endpointUrl: store.url,
    region: store.region,
    bucket: 'artifacts',
    forcePathStyle: true,
    credentials: { keys: async () => keys, refused: () => undefined },
  };
}

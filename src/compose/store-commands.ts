import { initBucket } from '../certify/shape/init-bucket.ts';
import { probeStore } from '../certify/shape/probe-store.ts';
import type { StoreCommands, StorePlace } from '../certify/shape/reports.ts';
import type { Connection } from '../storage/s3/settings.ts';
import { version } from '../version.ts';

/** The commands of a store that a file of settings names; no registry and no database belongs to it. */
export const storeCommands: StoreCommands = {
  init: (place, options) => initBucket(connectionOf(place), options),
  probe: (place, options) => probeStore(connectionOf(place), { ...options, version }),
};

function connectionOf({ keys, ...place }: StorePlace): Connection {
  return {
    ...place,
    credentials: { keys: async () => keys, refused: () => undefined },
    variables: 'S3_',
    keysSetting: 'S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY',
  };
}

import type { BackendKind } from '../kind.ts';
import { s3Kind as kind, readS3, type S3BackendConfig, variablesOf } from './config.ts';
import { endpointOf } from './settings.ts';

/** A bucket of an S3-compatible store, or a part of one. */
export const s3Kind: BackendKind<S3BackendConfig> = {
  kind,
  readConfig: readS3,
  nameOf(config) {
    const { bucket, keyPrefix } = config;
    const where = `${endpointOf(config)}/${bucket}${keyPrefix === '' ? '' : `/${keyPrefix}`}`;
    return { where, setting: `${variablesOf(config)}BUCKET, _KEY_PREFIX and _ENDPOINT_URL` };
  },
  directorySetting: () => 'STORAGE_SPOOL_ROOT',
  open: async (config, parts) => (await import('./configured.ts')).openS3(config, parts),
};

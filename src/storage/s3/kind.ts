import type { BackendKind, SecretReference } from '../kind.ts';
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
  secretReferences,
  directorySetting: () => 'STORAGE_SPOOL_ROOT',
  async requireFit(config) {
    if (config.presignedUploads) await (await import('./certified.ts')).requireCertified(config);
  },
  open: async (config, parts) => (await import('./configured.ts')).openS3(config, parts),
};

function secretReferences(config: S3BackendConfig): readonly SecretReference[] {
  const { credentials } = config;
  const settings = variablesOf(config);
  if (credentials.kind === 'web-identity')
    return [{ setting: `${settings}WEB_IDENTITY_TOKEN_FILE`, reference: `file:${credentials.webIdentityTokenFile}` }];
  if (credentials.kind === 'generation')
    return credentials.store.startsWith('vault:') && credentials.storeTokenRef !== ''
      ? [{ setting: `${settings}GENERATIONS_TOKEN_REF`, reference: credentials.storeTokenRef }]
      : [];
  const { accessKeyRef, secretKeyRef, sessionTokenRef } = credentials;
  return [
    { setting: `${settings}ACCESS_KEY_REF`, reference: accessKeyRef },
    { setting: `${settings}SECRET_KEY_REF`, reference: secretKeyRef },
    ...(sessionTokenRef === undefined ? [] : [{ setting: `${settings}SESSION_TOKEN_REF`, reference: sessionTokenRef }]),
  ];
}

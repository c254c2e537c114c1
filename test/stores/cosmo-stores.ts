import { openWorkplace, type Workplace } from '../cli/workplace.ts';
import { startDirectoryStore, whyNo } from './directory-store.ts';
import { garage, minio, seaweedfs, versitygw } from './kinds.ts';
import { startRgw, whyNoRgw } from './rgw.ts';
import type { RealStore } from './store.ts';

/** A store that a platform may be given, and the region that its signatures are for. */
export interface PlatformStore {
  readonly name: string;
  readonly region: string;
  missing(): string | undefined;
  open(): Promise<RealStore>;
}

/** In the region that Cosmo takes by default, where the store takes it. */
export const platformStores: readonly PlatformStore[] = [
  { name: 'MinIO', region: 'auto', missing: () => whyNo(minio), open: () => startDirectoryStore(minio) },
  { name: 'Ceph RGW', region: 'auto', missing: whyNoRgw, open: startRgw },
  { name: 'SeaweedFS', region: 'auto', missing: () => whyNo(seaweedfs), open: () => startDirectoryStore(seaweedfs) },
  { name: 'Garage', region: garage.region, missing: () => whyNo(garage), open: () => startDirectoryStore(garage) },
  { name: 'Versity S3 Gateway', region: versitygw.region, missing: () => whyNo(versitygw), open: () => startDirectoryStore(versitygw) },
];

/** A folder with the file of settings of this store, `artifacts.env`. */
export function openPlatform(store: RealStore, region: string): Workplace {
  const place = openWorkplace();
  place.write({ 'artifacts.env': platformSettings(store, region) });
  return place;
}

export function platformSettings({ url, keys }: Pick<RealStore, 'url' | 'keys'>, region: string): string {
  return [
    `S3_ENDPOINT_URL=${url}`,
    `S3_REGION=${region}`,
    `S3_ACCESS_KEY_ID=${keys.accessKeyId}`,
    `S3_SECRET_ACCESS_KEY=${keys.secretAccessKey}`,
    'S3_FORCE_PATH_STYLE=true',
    'COSMO_S3_BUCKET=cosmo',
    '',
  ].join('\n');
}

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

/** An S3 store that runs as processes of its own, on 127.0.0.1, for as long as the tests want it. */
export interface RealStore extends AsyncDisposable {
  readonly name: string;
  readonly version: string;
  readonly url: string;
  readonly region: string;
  /** Of the user who owns the buckets. */
  readonly keys: StoreKeys;
  /** A new bucket, empty. */
  createBucket(): Promise<string>;
}

export interface StoreKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The SDK's client of a store, as its owner or with other keys. */
export function clientOf(store: Pick<RealStore, 'url' | 'region' | 'keys'>, config: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint: store.url,
    region: store.region,
    forcePathStyle: true,
    credentials: store.keys,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...config,
  });
}

/**
 * Why a store's tests cannot run here, or undefined when they can. Stores that `ARTIFACTSTORE_TEST_STORES_REQUIRED`
 * names, comma separated, must be there: then it throws.
 */
export function whyMissing(id: string, programs: readonly string[], install: string): string | undefined {
  const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
  const missing = programs.filter(
    (program) => !(program.startsWith('/') ? [''] : folders).some((folder) => isProgram(join(folder, program))),
  );
  if (missing.length === 0) return undefined;
  const reason = `${id}: ${missing.join(', ')} not found; ${install} installs it`;
  const required = (process.env.ARTIFACTSTORE_TEST_STORES_REQUIRED ?? '').split(',').map((each) => each.trim());
  if (required.includes(id)) throw new Error(`${reason} (required by ARTIFACTSTORE_TEST_STORES_REQUIRED)`);
  return reason;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

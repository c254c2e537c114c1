import { randomUUID } from 'node:crypto';
import { storageConformance } from '../../src/storage/conformance.ts';
import { openS3Storage } from '../../src/storage/s3/s3.ts';
import type { S3Settings } from '../../src/storage/s3/settings.ts';

/**
 * The suite of every backend on a bucket that is there when the tests begin; each case lives under a prefix of its own.
 */
export function conformanceOn(name: string, settings: () => S3Settings): void {
  storageConformance(name, async () => {
    const storage = openS3Storage({ ...settings(), keyPrefix: `conformance/${randomUUID()}` });
    return { storage, close: async () => storage.close() };
  });
}

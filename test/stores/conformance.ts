import { randomUUID } from 'node:crypto';
import { storageConformance } from '../../src/storage/conformance.ts';
import { openS3Storage } from '../../src/storage/s3/s3.ts';
import type { S3Settings } from '../../src/storage/s3/settings.ts';

/**
 * The suite of every backend on a bucket that is there when the tests begin; each case lives under a prefix of its own,
 * below that of the settings.
 */
export function conformanceOn(name: string, settings: () => S3Settings): void {
  storageConformance(name, async () => {
    const given = settings();
    const below = given.keyPrefix === '' ? '' : `${given.keyPrefix}/`;
    const storage = openS3Storage({ ...given, keyPrefix: `${below}conformance/${randomUUID()}` });
    return { storage, close: async () => storage.close() };
  });
}

import { CopyObjectCommand } from '@aws-sdk/client-s3';
import { encode } from '../../protocol/aws-signature.ts';
import type { CopySource } from '../STORAGE.ts';
import type { S3Calls } from './client.ts';
import { isNothingThere, storeCode } from './errors.ts';
import { headObject } from './head.ts';
import type { S3Settings } from './settings.ts';
import { storeKey } from './store-key.ts';
import { writeParameters } from './write-parameters.ts';

/**
 * Copies one version of an object within the bucket. Its ETag is the MD5 of its bytes, or it is not copied: then the
 * copy has the same one, which the store is asked for afterwards. False where the version is not there any more.
 */
export async function copyObject(
  calls: S3Calls,
  settings: S3Settings,
  from: string,
  to: string,
  { version, sizeBytes, signal }: CopySource,
): Promise<boolean> {
  if (!isMd5.test(version)) return false;
  const source = `${settings.bucket}/${storeKey(settings, from)}`.split('/').map(encode).join('/');
  const made = await calls.call({ doing: 'write', key: to }, signal, async (client, stopping) => {
    try {
      await client.send(
        new CopyObjectCommand({
          ...writeParameters(settings, to),
          CopySource: source,
          CopySourceIfMatch: version,
          MetadataDirective: 'REPLACE',
        }),
        { requestTimeout: copyMilliseconds, ...stopping },
      );
      return true;
    } catch (error) {
      if (isNothingThere(error) || storeCode(error) === 'PreconditionFailed') return false;
      throw error;
    }
  });
  if (!made) return false;
  const found = await headObject(calls, settings, to, signal);
  return found?.sizeBytes === sizeBytes && found.etag === version.replaceAll('"', '');
}

const isMd5 = /^"[0-9a-f]{32}"$/;
/** A store copies within itself; gigabytes take their time. */
const copyMilliseconds = 600_000;

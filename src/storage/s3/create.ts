import { PutObjectCommand } from '@aws-sdk/client-s3';
import { contentMd5 } from './body-binding.ts';
import type { S3Calls } from './client.ts';
import { storeCode, storeStatus } from './errors.ts';
import { headObject } from './head.ts';
import type { S3Settings } from './settings.ts';
import { writeParameters } from './write-parameters.ts';

/**
 * Writes a few bytes where nothing lies. It looks first, since some stores ignore the condition, and then asks for it,
 * since somebody may write meanwhile; a store that does not know it at all is asked without.
 */
export async function createObject(
  calls: S3Calls,
  settings: S3Settings,
  objectKey: string,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const binding = settings.dialect.bodyBinding === 'content-md5' ? { ContentMD5: contentMd5(bytes) } : {};
  if ((await headObject(calls, settings, objectKey, signal)) !== undefined) return false;
  return await calls.call({ doing: 'write', key: objectKey }, signal, async (client, stopping) => {
    const write = async (condition: { readonly IfNoneMatch?: string }): Promise<boolean> => {
      const parameters = { ...writeParameters(settings, objectKey), ...binding };
      await client.send(new PutObjectCommand({ ...parameters, Body: bytes, ContentLength: bytes.byteLength, ...condition }), stopping);
      return true;
    };
    try {
      return await write({ IfNoneMatch: '*' });
    } catch (error) {
      if (storeStatus(error) === 412 || storeCode(error) === 'ConditionalRequestConflict') return false;
      if (storeStatus(error) !== 501 && storeCode(error) !== 'NotImplemented') throw error;
      return await write({});
    }
  });
}

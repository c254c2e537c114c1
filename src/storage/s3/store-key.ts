import { requireObjectKey } from '../object-key.ts';
import type { S3Settings } from './settings.ts';

/** Where an object lies in the bucket. */
export function storeKey({ keyPrefix }: Pick<S3Settings, 'keyPrefix'>, objectKey: string): string {
  return `${prefixOf(keyPrefix)}${requireObjectKey(objectKey)}`;
}

/** What stands before every key. */
export function prefixOf(keyPrefix: string): string {
  return keyPrefix === '' ? '' : `${keyPrefix}/`;
}

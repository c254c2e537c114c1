import type { Keys } from '../credentials/CREDENTIALS.ts';
import type { Secret } from '../secrets/secret.ts';
import { unusableAuthority } from './refusal.ts';

/** An authority that is an S3 key itself, in one line: `ACCESS_KEY_ID:SECRET_ACCESS_KEY`. */
export function parseKeyPair(authority: Secret): Keys {
  const [, accessKeyId, secretAccessKey] = /^([^:\s]+):(\S+)$/.exec(authority.reveal()) ?? [];
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw unusableAuthority('malformed', 'The authority is not a pair of keys', 'write it as one line: ACCESS_KEY_ID:SECRET_ACCESS_KEY');
  return { accessKeyId, secretAccessKey };
}

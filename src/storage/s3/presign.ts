import { signInQuery } from '../../protocol/aws-signature.ts';
import type { PresignedWrite, UploadAddress } from '../STORAGE.ts';
import { addressOf } from './address.ts';
import type { PresignedUploads, S3Settings } from './settings.ts';
import { storeKey } from './store-key.ts';

/**
 * An address for one PUT, signed as the probes of `storage certify` sign: everything that is sent is signed, the length
 * and the SHA-256 of the bytes too. Undefined for more bytes than one request takes, and where the keys or the caller
 * leave no time.
 */
export async function presignPut(
  settings: S3Settings,
  { createOnly }: PresignedUploads,
  objectKey: string,
  { sizeBytes, digestSha256, untilMilliseconds }: PresignedWrite,
  now: () => number = Date.now,
): Promise<UploadAddress | undefined> {
  if (sizeBytes > largestPut) return undefined;
  const keys = await settings.credentials.keys();
  // Signatures have no fractions of a second.
  const date = new Date(Math.floor(now() / 1000) * 1000);
  const end = Math.min(date.getTime() + longestSeconds * 1000, untilMilliseconds, keys.expiresAtMilliseconds ?? Number.POSITIVE_INFINITY);
  const seconds = Math.floor((end - date.getTime()) / 1000);
  if (seconds < shortestSeconds) return undefined;
  const { protocol, host, path } = addressOf(settings, settings.bucket, storeKey(settings, objectKey));
  const headers = {
    'content-length': String(sizeBytes),
    'content-type': 'application/octet-stream',
    'x-amz-content-sha256': digestSha256,
    ...(createOnly ? { 'if-none-match': '*' } : {}),
    ...(settings.dialect.ownerAcl ? { 'x-amz-acl': 'bucket-owner-full-control' } : {}),
    ...(settings.serverSideEncryption === undefined ? {} : { 'x-amz-server-side-encryption': settings.serverSideEncryption }),
  };
  const signed = signInQuery(
    {
      method: 'PUT',
      path,
      query: {},
      headers: { host, ...headers },
      payload: digestSha256,
      date,
      region: settings.region,
      keys,
    },
    seconds,
  );
  return { url: `${protocol}//${host}${path}?${signed.query}`, headers, expiresAtMilliseconds: date.getTime() + seconds * 1000 };
}

/** What S3 takes in one request. */
const largestPut = 5_368_709_120;
/** Long enough to begin to send; whoever needs another asks for one. */
const longestSeconds = 900;
const shortestSeconds = 5;

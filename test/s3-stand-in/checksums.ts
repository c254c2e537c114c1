import { createHash } from 'node:crypto';
import { crc32 as crc32Of } from 'node:zlib';
import { crc32, crc64 } from 'hash-wasm';
import { refuse } from './refusal.ts';
import type { Checksum } from './state.ts';

export const checksumNames: readonly string[] = ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'];

const lengths: Readonly<Record<string, number>> = { crc32: 4, crc32c: 4, crc64nvme: 8, sha1: 20, sha256: 32 };

/** The checksum of bytes in base64, by the lower-case name of its algorithm. */
export async function checksumOf(algorithm: string, body: Uint8Array): Promise<string> {
  switch (algorithm) {
    case 'crc32':
      return Buffer.from(crc32Of(body).toString(16).padStart(8, '0'), 'hex').toString('base64');
    case 'crc32c':
      return Buffer.from(await crc32(body, 0x82f63b78), 'hex').toString('base64');
    case 'crc64nvme':
      return Buffer.from(await crc64(body, '9a6c9329ac4bc9b5'), 'hex').toString('base64');
    case 'sha1':
    case 'sha256':
      return createHash(algorithm).update(body).digest('base64');
    default:
      throw refuse('InvalidRequest', { Message: `Checksum algorithm ${algorithm} is not supported` });
  }
}

/** The checksum of an object of parts: over their checksums, or over all bytes. */
export async function checksumOfParts(
  algorithm: string,
  type: Checksum['type'],
  parts: readonly { readonly checksum: string | undefined }[],
  body: Buffer,
): Promise<Checksum> {
  if (type === 'FULL_OBJECT') return { algorithm, type, value: await checksumOf(algorithm, body) };
  const each = parts.map(({ checksum }) => Buffer.from(checksum ?? '', 'base64'));
  return { algorithm, type, value: `${await checksumOf(algorithm, Buffer.concat(each))}-${parts.length}` };
}

/** The one checksum that headers or trailers declare. */
export function declaredChecksum(
  headers: Readonly<Record<string, string>>,
): { readonly algorithm: string; readonly value: string } | undefined {
  const found = checksumNames.filter((name) => headers[`x-amz-checksum-${name}`] !== undefined);
  const [algorithm] = found;
  if (algorithm === undefined) return undefined;
  if (found.length > 1)
    throw refuse('InvalidRequest', { Message: 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.' });
  const value = headers[`x-amz-checksum-${algorithm}`] ?? '';
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== lengths[algorithm] || bytes.toString('base64') !== value) {
    throw refuse('InvalidRequest', { Message: `Value for x-amz-checksum-${algorithm} header is invalid.` });
  }
  return { algorithm, value };
}

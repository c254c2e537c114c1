/** Fields of the tus resumable upload protocol, version 1.0.0 (https://tus.io/protocols/resumable-upload). */

export const tusVersion = '1.0.0';
export const tusExtensions: readonly string[] = [
  'creation',
  'creation-with-upload',
  'creation-defer-length',
  'checksum',
  'concatenation',
  'expiration',
  'termination',
];
/** The media type of bytes that are added to an upload. */
export const offsetStreamType = 'application/offset+octet-stream';

/** Digests that `Upload-Checksum` may name, with their length in bytes. */
export const checksumAlgorithms: Readonly<Record<string, number>> = { sha256: 32, sha1: 20, blake3: 32, sha512: 64, md5: 16 };

/** Values by key, or what is wrong with the field. */
export type MetadataField = { readonly values: ReadonlyMap<string, Uint8Array> } | { readonly fault: string };

/**
 * Reads `Upload-Metadata`: pairs of a key and a value in base64, which may be absent, with commas between them. Keys
 * are printable ASCII without space and comma, and none is there twice.
 */
export function parseUploadMetadata(field: string): MetadataField {
  const values = new Map<string, Uint8Array>();
  if (field.trim() === '') return { values };
  for (const [index, pair] of field.split(',').entries()) {
    const [key = '', value = '', ...more] = pair.trim().split(/ +/);
    if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(key) || more.length > 0) return { fault: `pair ${index + 1} is not a key and a value` };
    if (values.has(key)) return { fault: `the key "${key}" is there twice` };
    const bytes = fromBase64(value);
    if (bytes === undefined) return { fault: `the value of "${key}" is not base64` };
    values.set(key, bytes);
  }
  return { values };
}

export interface UploadChecksum {
  readonly algorithm: string;
  readonly digest: Uint8Array;
}

/** Reads `Upload-Checksum`: the name of an algorithm, and the digest in base64. */
export function parseUploadChecksum(field: string): UploadChecksum | undefined {
  const [, algorithm = '', value = ''] = /^([a-z0-9]+) +(\S+)$/.exec(field.trim()) ?? [];
  const digest = value === '' ? undefined : fromBase64(value);
  return digest === undefined ? undefined : { algorithm, digest };
}

/** One of several parts of a file, or the file that they make: their addresses as they were given. */
export type UploadConcat = { readonly kind: 'partial' } | { readonly kind: 'final'; readonly parts: readonly string[] };

export function parseUploadConcat(field: string): UploadConcat | undefined {
  const text = field.trim();
  if (text === 'partial') return { kind: 'partial' };
  const [, addresses = ''] = /^final; *(.*)$/.exec(text) ?? [];
  const parts = addresses.split(/ +/).filter((part) => part !== '');
  return parts.length === 0 ? undefined : { kind: 'final', parts };
}

/** Base64 of RFC 4648 section 4, with its padding. */
function fromBase64(text: string): Uint8Array | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}

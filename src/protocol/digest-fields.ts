import { parseDictionary } from 'structured-headers';

/**
 * Content-Digest and Repr-Digest (RFC 9530): dictionaries of byte sequences, by algorithm; and the two fields that came
 * before them.
 */

/**
 * The field's name of each algorithm that is checked, with ours and its length in bytes. `blake3` is not in the IANA
 * registry.
 */
const algorithms: Readonly<Record<string, { readonly name: string; readonly bytes: number }>> = {
  'sha-256': { name: 'sha256', bytes: 32 },
  'sha-512': { name: 'sha512', bytes: 64 },
  blake3: { name: 'blake3', bytes: 32 },
};

/**
 * The digests that a field states, by our names of the algorithms; algorithms that are not known are ignored (RFC 9530
 * section 2). Undefined when the field is malformed.
 */
export function parseDigestField(value: string): ReadonlyMap<string, Uint8Array> | undefined {
  const digests = new Map<string, Uint8Array>();
  const dictionary = parsed(value);
  if (dictionary === undefined) return undefined;
  for (const [key, [item]] of dictionary) {
    const algorithm = Object.hasOwn(algorithms, key) ? algorithms[key] : undefined;
    if (algorithm === undefined) continue;
    if (!(item instanceof ArrayBuffer) || item.byteLength !== algorithm.bytes) return undefined;
    digests.set(algorithm.name, new Uint8Array(item));
  }
  return digests;
}

/** The obsolete Content-MD5 (RFC 1864): 16 bytes in base64. Undefined when malformed. */
export function parseContentMd5(value: string): ReadonlyMap<string, Uint8Array> | undefined {
  const digest = fromBase64(value.trim(), 16);
  return digest === undefined ? undefined : new Map([['md5', digest]]);
}

/**
 * The obsolete Digest (RFC 3230): `SHA-256=<base64>, MD5=<base64>`; algorithms that are not known are ignored.
 * Undefined when malformed.
 */
export function parseLegacyDigest(value: string): ReadonlyMap<string, Uint8Array> | undefined {
  const digests = new Map<string, Uint8Array>();
  for (const item of value.split(',')) {
    const match = /^[ \t]*([^\s=]+)=([^\s]*)[ \t]*$/.exec(item);
    if (match === null) return undefined;
    const algorithm = legacyAlgorithms.get(match[1]!.toLowerCase());
    if (algorithm === undefined) continue;
    const digest = fromBase64(match[2]!, algorithm.bytes);
    if (digest === undefined || digests.has(algorithm.name)) return undefined;
    digests.set(algorithm.name, digest);
  }
  return digests;
}

const legacyAlgorithms: ReadonlyMap<string, { readonly name: string; readonly bytes: number }> = new Map([
  ['md5', { name: 'md5', bytes: 16 }],
  ['sha', { name: 'sha1', bytes: 20 }],
  ['sha-256', { name: 'sha256', bytes: 32 }],
  ['sha-512', { name: 'sha512', bytes: 64 }],
]);

function fromBase64(text: string, bytes: number): Uint8Array | undefined {
  const digest = Buffer.from(text, 'base64');
  return digest.length === bytes && digest.toString('base64') === text ? new Uint8Array(digest) : undefined;
}

/** A Repr-Digest value for digests in hex. */
export function formatDigestField(digests: { readonly sha256: string; readonly blake3?: string }): string {
  const sha256 = `sha-256=:${Buffer.from(digests.sha256, 'hex').toString('base64')}:`;
  return digests.blake3 === undefined ? sha256 : `${sha256}, blake3=:${Buffer.from(digests.blake3, 'hex').toString('base64')}:`;
}

function parsed(value: string): ReturnType<typeof parseDictionary> | undefined {
  try {
    return parseDictionary(value);
  } catch {
    return undefined;
  }
}

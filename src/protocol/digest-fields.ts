import { parseDictionary } from 'structured-headers';

/** Content-Digest and Repr-Digest (RFC 9530): dictionaries of byte sequences, by algorithm. */

/** The field's name of each algorithm that is checked, with ours and its length in bytes. `blake3` is not in the IANA registry. */
const algorithms: Readonly<Record<string, { readonly name: string; readonly bytes: number }>> = {
  'sha-256': { name: 'sha256', bytes: 32 },
  'sha-512': { name: 'sha512', bytes: 64 },
  blake3: { name: 'blake3', bytes: 32 },
};

/**
 * The digests that a field states, by our names of the algorithms; algorithms that are not known are passed over (RFC 9530 section
 * 2). Undefined when the field is malformed.
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

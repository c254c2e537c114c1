import { formatAddress, splitAddress } from '../kernel/content/address.ts';
import { type Algorithm, blake3, sha256, toHex } from '../kernel/content/digest.ts';
import { parseObjectKey } from '../kernel/content/key.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { Digests, Expected } from './DATAPLANE.ts';
import { requireDigests, requireLength } from './declared.ts';
import { createDigester } from './hashing/digester.ts';

/** Bytes that are in memory as a whole, hashed at once: for a few of them that is much cheaper than a hasher. */
export function digestWhole(
  bytes: Uint8Array,
  digestAlgorithm: Algorithm,
  expected: Expected,
): Omit<Digests, 'digestAlgorithm'> & { readonly sizeBytes: number } {
  requireLength(bytes.byteLength, expected, true);
  const digests = new Map<string, Uint8Array>([
    [digestAlgorithm, digestOf[digestAlgorithm](bytes)],
    ['sha256', sha256(bytes)],
  ]);
  const others = [...(expected.digests?.keys() ?? [])].filter((algorithm) => !digests.has(algorithm));
  if (others.length > 0) {
    const digester = createDigester(others);
    digester.update(bytes);
    for (const [algorithm, digest] of digester.finish().digests) digests.set(algorithm, digest);
  }
  requireDigests(digests, expected);
  const primary = digests.get(digestAlgorithm)!;
  return {
    sizeBytes: bytes.byteLength,
    digestPrimary: toHex(primary),
    digestSha256: toHex(digests.get('sha256')!),
    contentAddress: formatAddress(digestAlgorithm, primary),
  };
}

/**
 * Throws `integrity_failure` unless the bytes are those that the key is made of; answers their SHA-256 in lowercase
 * hex.
 */
export function requireKeyDigest(key: string, bytes: Uint8Array): string {
  const address = parseObjectKey(key)?.address;
  const { algorithm, hex } = address === undefined ? { algorithm: '', hex: '' } : splitAddress(address);
  const digest = algorithm === 'blake3' || algorithm === 'sha256' ? toHex(digestOf[algorithm](bytes)) : undefined;
  if (digest === undefined || digest !== hex)
    throw new ArtifactstoreError('integrity_failure', `The bytes that the database holds for ${key} are damaged`, {
      info: { object_key: key },
    });
  return algorithm === 'sha256' ? digest : toHex(sha256(bytes));
}

const digestOf = { blake3, sha256 } as const satisfies { readonly [A in Algorithm]: (bytes: Uint8Array) => Uint8Array };

import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { createHasher, type Hasher } from '../kernel/content/digest.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import { parseContentMd5, parseDigestField, parseLegacyDigest } from '../protocol/digest-fields.ts';

const readers = {
  'content-digest': [parseDigestField, 'a dictionary of digests (RFC 9530)'],
  'repr-digest': [parseDigestField, 'a dictionary of digests (RFC 9530)'],
  'content-md5': [parseContentMd5, 'an MD5 in base64 (RFC 1864)'],
  digest: [parseLegacyDigest, 'a list of digests in base64 (RFC 3230)'],
} as const;

type DigestField = keyof typeof readers;

const digestFields = Object.keys(readers) as readonly DigestField[];

/**
 * The digests that a sender states of a body, in whichever field, by algorithm; two that contradict each other are
 * refused.
 */
export function statedDigests(fields: ReadonlyMap<string, string>): ReadonlyMap<string, Uint8Array> {
  const stated = new Map<string, Uint8Array>();
  for (const field of digestFields) {
    const value = fields.get(field);
    if (value === undefined) continue;
    const [read, what] = readers[field];
    const digests = read(value);
    if (digests === undefined) throw new ArtifactstoreError('invalid_header', `The field ${field} is not ${what}.`, { field });
    for (const [algorithm, digest] of digests) {
      const other = stated.get(algorithm);
      if (other !== undefined && !Buffer.from(other).equals(digest))
        throw new ArtifactstoreError('digest_mismatch', `The digest fields state two ${algorithm} digests.`, { field });
      stated.set(algorithm, digest);
    }
  }
  return stated;
}

/** A digest that follows the body can't be checked any more: refused, rather than ignored. */
export function refuseLateDigests(trailer: string | undefined): void {
  const field = trailer
    ?.split(',')
    .map((name) => name.trim().toLowerCase())
    .find((name) => (digestFields as readonly string[]).includes(name));
  if (field !== undefined)
    throw new ArtifactstoreError('invalid_header', `The field ${field} is checked when it comes before the body, not as a trailer.`, {
      field: 'trailer',
    });
}

/** The body, which fails at its end when it is not what the digests say. */
export async function* checkedBody(
  body: AsyncIterable<Uint8Array>,
  digests: ReadonlyMap<string, Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hashers = new Map([...digests.keys()].map((algorithm) => [algorithm, hasherOf(algorithm)]));
  for await (const chunk of body) {
    for (const hasher of hashers.values()) hasher.update(chunk);
    yield chunk;
  }
  for (const [algorithm, hasher] of hashers)
    if (!Buffer.from(hasher.digest()).equals(digests.get(algorithm)!))
      throw new ArtifactstoreError('digest_mismatch', `The body is not what its ${algorithm} digest says.`, { info: { algorithm } });
}

function hasherOf(algorithm: string): Pick<Hasher, 'digest'> & { update(bytes: Uint8Array): void } {
  if (algorithm === 'blake3') return createHasher(algorithm);
  const hash = createHash(algorithm);
  return { update: (bytes) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) };
}

/** Header fields, each as one text. */
export function fieldsOf(headers: IncomingHttpHeaders): ReadonlyMap<string, string> {
  return new Map(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

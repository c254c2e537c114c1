import { createHash } from 'node:crypto';
import { createHasher, sameBytes } from '../../kernel/content/digest.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { NewFile } from '../../registry/REGISTRY.ts';

/**
 * The file's bytes, held to what it declares of them, for forms of the wire that carry no declaration. Throws
 * `length_mismatch` or `digest_mismatch`, naming the file, after the last byte.
 */
export async function* declaredBytes(file: NewFile): AsyncIterable<Uint8Array> {
  const hashers = [...(file.digests ?? [])].map(([algorithm, expected]) => ({ algorithm, expected, hasher: hasherOf(algorithm) }));
  let length = 0;
  for await (const chunk of file.body) {
    length += chunk.length;
    for (const { hasher } of hashers) hasher.update(chunk);
    yield chunk;
  }
  const field = { field: file.relative_path };
  if (file.size_bytes !== undefined && file.size_bytes !== length)
    throw new ArtifactstoreError(
      'length_mismatch',
      `"${file.relative_path}" has ${length} bytes where ${file.size_bytes} were declared.`,
      field,
    );
  for (const { algorithm, expected, hasher } of hashers)
    if (!sameBytes(hasher.digest(), expected))
      throw new ArtifactstoreError(
        'digest_mismatch',
        `The bytes of "${file.relative_path}" do not have the declared ${algorithm} digest.`,
        field,
      );
}

function hasherOf(algorithm: string) {
  if (algorithm === 'blake3' || algorithm === 'sha256') return createHasher(algorithm);
  if (algorithm !== 'sha512') throw new ArtifactstoreError('invalid_value', `The digest algorithm "${algorithm}" is not known.`);
  const hash = createHash(algorithm);
  return { update: (bytes: Uint8Array) => void hash.update(bytes), digest: () => new Uint8Array(hash.digest()) };
}

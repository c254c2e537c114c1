import { type Algorithm, algorithms, createHasher, digestHex, type Hasher, toHex } from '../../kernel/content/digest.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { SourceFile } from './source-records.ts';

type Known = Pick<SourceFile, 'relative_path' | 'size_bytes' | 'digest_algorithm' | 'digest_primary' | 'digest_sha256'>;

/**
 * The bytes, held to the length and to both digests that the source states of them. The last piece is given out only
 * when they are right, so that nobody ever has the whole of wrong bytes. An algorithm that is not known here is not
 * compared: SHA-256 always is. Throws `integrity_failure`.
 */
export async function* verifiedBytes(body: AsyncIterable<Uint8Array>, file: Known): AsyncGenerator<Uint8Array, void, undefined> {
  const hashers = statedDigests(file).map(([algorithm, hex]) => ({ algorithm, hex, hasher: createHasher(algorithm) as Hasher }));
  let held: Uint8Array | undefined;
  let length = 0;
  for await (const chunk of body) {
    if (held !== undefined) yield held;
    for (const { hasher } of hashers) hasher.update(chunk);
    length += chunk.length;
    held = chunk;
  }
  const actual = hashers.map(({ algorithm, hasher }) => `${algorithm}:${toHex(hasher.digest())}`);
  compare(file, length, actual);
  if (held !== undefined) yield held;
}

/** Throws `integrity_failure` where the bytes are others than the source states. */
export function verifyBytes(bytes: Uint8Array, file: Known): void {
  const actual = statedDigests(file).map(([algorithm]) => `${algorithm}:${digestHex(algorithm, bytes)}`);
  compare(file, bytes.length, actual);
}

function statedDigests(file: Known): readonly (readonly [Algorithm, string])[] {
  const primary = Object.keys(algorithms).find((name): name is Algorithm => name === file.digest_algorithm);
  const others = primary === undefined || primary === 'sha256' ? [] : [[primary, file.digest_primary] as const];
  return [['sha256', file.digest_sha256], ...others];
}

function compare(file: Known, length: number, actual: readonly string[]): void {
  const stated = statedDigests(file).map(([algorithm, hex]) => `${algorithm}:${hex}`);
  const wrong = stated.find((address, index) => address !== actual[index]);
  if (wrong === undefined && length === file.size_bytes) return;
  throw new ArtifactstoreError(
    'integrity_failure',
    wrong === undefined
      ? `The source sent ${length} bytes for "${file.relative_path}", and its manifest says ${file.size_bytes}.`
      : `The source sent other bytes for "${file.relative_path}" than those of ${wrong}, which its manifest names.`,
    { field: file.relative_path, info: { expected: wrong ?? stated[0], actual, size_bytes: length, side: 'source' } },
  );
}

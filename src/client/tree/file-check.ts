import { blake3, createHasher, sha256, toHex } from '../../kernel/content/digest.ts';
import type { ManifestFile } from '../../kernel/manifest.ts';

export interface Check {
  update(chunk: Uint8Array): void;
  /** What is wrong with the bytes given, or undefined when they are the file's. */
  fault(): string | undefined;
}

/** Holds bytes to everything that a manifest says of them: length and both digests. */
export function createCheck(file: ManifestFile): Check {
  const whole = createHasher('sha256');
  const primary = file.digest_algorithm === 'blake3' ? createHasher('blake3') : undefined;
  let length = 0;
  return {
    update: (chunk) => {
      length += chunk.length;
      whole.update(chunk);
      primary?.update(chunk);
    },
    fault: () =>
      faultIn(
        file,
        length,
        () => whole.digest(),
        () => primary?.digest(),
      ),
  };
}

/** The same for bytes that are in memory, which costs less than a hasher where they are few. */
export function faultOf(file: ManifestFile, bytes: Uint8Array): string | undefined {
  return faultIn(
    file,
    bytes.length,
    () => sha256(bytes),
    () => (file.digest_algorithm === 'blake3' ? blake3(bytes) : undefined),
  );
}

function faultIn(
  file: ManifestFile,
  length: number,
  ofSha256: () => Uint8Array,
  ofBlake3: () => Uint8Array | undefined,
): string | undefined {
  if (length !== file.size_bytes) return `${length} bytes instead of ${file.size_bytes}`;
  const digest = toHex(ofSha256());
  if (digest !== file.digest_sha256) return `SHA-256 ${digest} instead of ${file.digest_sha256}`;
  const bytes = ofBlake3();
  const other = bytes === undefined ? undefined : toHex(bytes);
  if (other !== undefined && other !== file.digest_primary) return `BLAKE3 ${other} instead of ${file.digest_primary}`;
  return undefined;
}

export function isExecutable(file: ManifestFile): boolean {
  return file.annotations.mode === 'executable';
}

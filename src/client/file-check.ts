import { createHasher, toHex } from '../kernel/content/digest.ts';
import type { ManifestFile } from '../kernel/manifest.ts';

export interface Check {
  update(chunk: Uint8Array): void;
  /** What is wrong with the bytes given, or undefined when they are the file's. */
  fault(): string | undefined;
}

/** Holds bytes to everything that a manifest says of them: length and both digests. */
export function createCheck(file: ManifestFile): Check {
  const sha256 = createHasher('sha256');
  const primary = file.digest_algorithm === 'blake3' ? createHasher('blake3') : undefined;
  let length = 0;
  return {
    update: (chunk) => {
      length += chunk.length;
      sha256.update(chunk);
      primary?.update(chunk);
    },
    fault: () => {
      if (length !== file.size_bytes) return `${length} bytes instead of ${file.size_bytes}`;
      const digest = toHex(sha256.digest());
      if (digest !== file.digest_sha256) return `SHA-256 ${digest} instead of ${file.digest_sha256}`;
      const other = primary === undefined ? undefined : toHex(primary.digest());
      if (other !== undefined && other !== file.digest_primary) return `BLAKE3 ${other} instead of ${file.digest_primary}`;
      return undefined;
    },
  };
}

export function isExecutable(file: ManifestFile): boolean {
  return file.annotations.mode === 'executable';
}

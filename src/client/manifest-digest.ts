import { blake3, toHex } from '../kernel/content/digest.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { SealedManifest } from '../registry/REGISTRY.ts';

/** A manifest is its bytes: others than the digest says are `integrity_failure`. */
export function checkManifestDigest({ digest, bytes }: SealedManifest): void {
  const actual = `blake3:${toHex(blake3(bytes))}`;
  if (actual !== digest)
    throw new ArtifactstoreError('integrity_failure', `The manifest's bytes have the digest ${actual}, not ${digest}.`, {
      info: { expected: digest, actual },
    });
}

import { sameBytes, toHex } from '../kernel/content/digest.ts';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { Expected } from './DATAPLANE.ts';

// What was declared of bytes, and what came.

/** Throws `body_too_large` or `length_mismatch`. `whole`: nothing follows. */
export function requireLength(size: number, expected: Expected, whole: boolean): void {
  const { maximumBytes, sizeBytes } = expected;
  if (maximumBytes !== undefined && size > maximumBytes) {
    throw new ArtifactstoreError('body_too_large', `At most ${maximumBytes} bytes are taken`, { info: { maximum_bytes: maximumBytes } });
  }
  if (sizeBytes !== undefined && (size > sizeBytes || (whole && size !== sizeBytes))) {
    const was = whole ? `${size} came` : 'more came';
    throw new ArtifactstoreError('length_mismatch', `${sizeBytes} bytes were declared, but ${was}`, {
      info: { expected_size_bytes: sizeBytes },
    });
  }
}

/** Throws `digest_mismatch`. */
export function requireDigests(digests: ReadonlyMap<string, Uint8Array>, expected: Expected): void {
  for (const [algorithm, declared] of expected.digests ?? []) {
    const actual = digests.get(algorithm)!;
    if (!sameBytes(actual, declared)) {
      throw new ArtifactstoreError('digest_mismatch', `The ${algorithm} digest of the body is not the declared one`, {
        info: { algorithm, expected: toHex(declared), actual: toHex(actual) },
      });
    }
  }
}

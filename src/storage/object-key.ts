import { ArtifactstoreError } from '../kernel/error.ts';

/** What `storage certify` writes lies in folders whose names begin so, and goes again. */
export const certifyPrefix = 'certify-';

/** The folder of unpublished bytes; no object may have a key in it. */
export const draftsSegment = 'drafts';

/**
 * Refuses what no backend may be asked for: an empty or absolute key, an empty, `.` or `..` segment, a NUL or
 * backslash, a lone surrogate, a key over 1,024 bytes, a key under `drafts/`. Keys are made by us, so a bad one is a
 * fault in the program.
 */
export function requireObjectKey(key: string): string {
  if (key.length <= 256 && plainKey.test(key)) return key;
  const segments = key.split('/');
  const legal =
    segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..') &&
    segments[0] !== draftsSegment &&
    !key.includes('\0') &&
    !key.includes('\\') &&
    key.isWellFormed() &&
    Buffer.byteLength(key) <= 1024;
  if (!legal) throw new ArtifactstoreError('internal', `Not a legal object key: ${JSON.stringify(key)}`);
  return key;
}

/** Of digests, as nearly every key is, which is read on the way to every object. */
const plainKey = /^(?:blake3|sha256)(?:\/[0-9a-f]+)+(?:\.[0-9]+)?$/;

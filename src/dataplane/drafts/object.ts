import type { ContentAddress } from '../../kernel/content/address.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import type { PutOptions, Storage } from '../../storage/STORAGE.ts';
import type { Digests } from '../DATAPLANE.ts';
import { openVerified } from '../read.ts';
import type { DraftFile } from './draft-file.ts';

/**
 * A draft that is no file: what is written goes into a `put` under way, which ends, and makes the object, only when the
 * draft is finished. Given up, the put's source fails, and by the promise of the storage door nothing appears.
 */
export function createObjectDraft(backend: Storage, key: string, options: PutOptions): DraftFile {
  const pieces: Piece[] = [];
  let end: 'finished' | 'abandoned' | undefined;
  let wake: () => void = () => undefined;
  let failure: unknown;
  let failed = false;

  async function* source(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = pieces[0];
      if (piece !== undefined) {
        yield piece.bytes;
        pieces.shift();
        piece.taken();
      } else if (end === 'abandoned') {
        throw new ArtifactstoreError('cancelled', 'The upload was given up');
      } else if (end === 'finished') {
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }

  const put = backend.put(key, source(), options);
  put.catch((error: unknown) => {
    failed = true;
    failure = error;
    for (const piece of pieces.splice(0)) piece.refused(error);
  });

  return {
    write(bytes) {
      if (failed) return Promise.reject(failure);
      return new Promise((taken, refused) => {
        pieces.push({ bytes, taken, refused });
        wake();
      });
    },
    async finish() {
      end = 'finished';
      wake();
      await put;
    },
    async abandon() {
      end ??= 'abandoned';
      wake();
      await put.catch(() => undefined);
    },
  };
}

interface Piece {
  readonly bytes: Uint8Array;
  readonly taken: () => void;
  readonly refused: (error: unknown) => void;
}

/**
 * The bytes of a draft that went straight to `key`, as they were hashed. Another upload may have made them useless
 * there.
 */
export async function* readPublished(
  backend: Storage,
  draft: Digests & { readonly backendId: string; readonly sizeBytes: number; readonly version?: string },
  key: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    yield* await openVerified(
      backend,
      { ...draft, objectKey: key, contentAddress: draft.contentAddress as ContentAddress },
      undefined,
      signal,
    );
  } catch (error) {
    // They are no stored object yet, whose damage would be an alarm.
    if (draft.version !== undefined && isArtifactstoreError(error, 'integrity_failure'))
      throw new ArtifactstoreError('storage_unavailable', 'The bytes were replaced while they were committed; commit them again', {
        cause: error,
      });
    if (!isArtifactstoreError(error, 'object_not_found')) throw error;
    throw new ArtifactstoreError('storage_unavailable', 'A clean-up removed the bytes while they were committed; send them again', {
      cause: error,
    });
  }
}

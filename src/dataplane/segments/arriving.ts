import { ArtifactstoreError } from '../../kernel/error.ts';
import { stoppable } from '../../runtime/stop.ts';
import type { SegmentWrite } from '../DATAPLANE.ts';
import { goodBlocks } from './good-blocks.ts';

/** A body of which what came counts, however it ends. */
export interface Arriving {
  /** Ends where the body ends, breaks off, is stopped, or is longer than it may be. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Why it ended early, once it has ended. */
  failure(): { readonly error: unknown } | undefined;
}

/**
 * The body of a write. A chunk that leads beyond `maximumBytes` is not passed, not even its beginning:
 * `upload_length_mismatch`. Where digests of its blocks are declared, nothing is passed that is not what they say.
 */
export function arriving(source: AsyncIterable<Uint8Array>, { segments, maximumBytes, blockDigests, signal }: SegmentWrite): Arriving {
  let failure: { readonly error: unknown } | undefined;
  async function* measured(): AsyncGenerator<Uint8Array> {
    let size = 0;
    for await (const chunk of stoppable(source, signal)) {
      size += chunk.byteLength;
      if (size > maximumBytes)
        throw new ArtifactstoreError('upload_length_mismatch', `The upload takes ${maximumBytes} more bytes, and more came.`, {
          info: { remaining_bytes: maximumBytes },
        });
      yield chunk;
    }
  }
  async function* body(): AsyncGenerator<Uint8Array> {
    const position = segments.reduce((sum, { bytes }) => sum + bytes, 0);
    try {
      yield* blockDigests === undefined ? measured() : goodBlocks(measured(), position, blockDigests);
    } catch (error) {
      failure = { error };
    }
  }
  return { body: body(), failure: () => failure };
}

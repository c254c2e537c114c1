import { ArtifactstoreError } from '../../kernel/error.ts';
import { stoppable } from '../../runtime/stop.ts';

/** A body of which what came counts, however it ends. */
export interface Arriving {
  /** Ends where the body ends, breaks off, is stopped, or is longer than it may be. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Why it ended early, once it has ended. */
  failure(): { readonly error: unknown } | undefined;
}

/** A chunk that leads beyond `maximumBytes` is not passed, not even its beginning: `upload_length_mismatch`. */
export function arriving(source: AsyncIterable<Uint8Array>, maximumBytes: number, signal: AbortSignal | undefined): Arriving {
  let failure: { readonly error: unknown } | undefined;
  async function* body(): AsyncGenerator<Uint8Array> {
    let size = 0;
    try {
      for await (const chunk of stoppable(source, signal)) {
        size += chunk.byteLength;
        if (size > maximumBytes)
          throw new ArtifactstoreError('upload_length_mismatch', `The upload takes ${maximumBytes} more bytes, and more came.`, {
            info: { remaining_bytes: maximumBytes },
          });
        yield chunk;
      }
    } catch (error) {
      failure = { error };
    }
  }
  return { body: body(), failure: () => failure };
}

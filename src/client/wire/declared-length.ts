import { ArtifactstoreError } from '../../kernel/error.ts';

/** A body that fails with `length_mismatch` where it is not as long as is said, and gives nothing that is too much. */
export async function* ofDeclaredLength(body: AsyncIterable<Uint8Array>, sizeBytes: number): AsyncGenerator<Uint8Array> {
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (length > sizeBytes) break;
    yield chunk;
  }
  if (length !== sizeBytes)
    throw new ArtifactstoreError('length_mismatch', `The body that was to be sent is not the declared ${sizeBytes} bytes long.`);
}

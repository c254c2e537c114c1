import type { Artifact } from '../../bundle/manifest.ts';
import { isArtifactstoreError } from '../../kernel/error.ts';
import type { Registry } from '../../registry/REGISTRY.ts';

import { begunAgain, type SendUpload } from '../resumable.ts';
import { noSignal } from '../transfer-options.ts';

/** So often an upload is begun that somebody else ends, or that has bytes of a file that changed. */
const mostTries = 3;

/**
 * Sends an artifact of a write session by an upload, from where an earlier publication was stopped; how many bytes went
 * out. Errors: those of write sessions and uploads.
 */
export async function sendInPieces(
  { writeSessions, sendUpload }: Pick<Registry, 'writeSessions'> & { readonly sendUpload: SendUpload },
  sessionId: string,
  { name, size_bytes }: Artifact,
  from: (offset: number) => AsyncIterable<Uint8Array>,
  signal: AbortSignal = noSignal(),
): Promise<number> {
  let earlier = size_bytes;
  const onOffset = (bytes: number): void => {
    earlier = Math.min(earlier, bytes);
  };
  for (let tries = 1; ; tries++) {
    let began = true;
    try {
      const { record, created } = await writeSessions.beginUpload(sessionId, name);
      began = created;
      if (record.state === 'open') await sendUpload(record, { size_bytes, from }, { signal, onOffset });
      return size_bytes - earlier;
    } catch (error) {
      // The answer to its last byte was lost.
      if (isArtifactstoreError(error, 'write_session_object_received')) return size_bytes - earlier;
      if (signal.aborted || tries === mostTries || !isArtifactstoreError(error) || !begunAgain.has(error.code)) throw error;
      // What an earlier publication sent may be of a file that changed; what this one sent all by itself is not.
      if (error.code === 'digest_mismatch' && began) throw error;
    }
  }
}

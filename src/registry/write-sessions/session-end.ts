import { isArtifactstoreError } from '../../kernel/error.ts';
import { formatTimestamp } from '../../kernel/time.ts';
import type { Access } from '../access.ts';
import type { Context } from '../context.ts';
import { hasExpired, requireLive } from '../operations/write-sessions/rows.ts';

/**
 * Does the work on an upload. Where that is not there any more since its write session ended, it says what became of
 * the session, to who may see that. Errors: `write_session_expired`, `write_session_aborted`; those of the work.
 */
export async function tellSessionEnd<T>(
  { context, access }: { readonly context: Context; readonly access: Access },
  uploadId: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isArtifactstoreError(error, 'upload_not_found')) throw error;
    const { database, now } = context;
    const upload = await database.read('upload.get', { id: uploadId });
    const bound = upload?.state === 'abandoned' ? upload.detail.write_session : undefined;
    const found = bound && (await database.read('session.get', { id: bound.id, objects: false }));
    if (found === undefined || !access.sees(found.row.producer)) throw error;
    const { row } = found;
    const at = formatTimestamp(now());
    if (row.state === 'aborted' || row.state === 'expired' || hasExpired(row, at)) requireLive(row, at);
    throw error;
  }
}

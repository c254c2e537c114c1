import { parseId } from '../../kernel/id.ts';
import { formatTimestamp } from '../../kernel/time.ts';
import type { Context } from '../context.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { checkLimit } from '../input.ts';
import type { UploadRow } from '../operations/uploads/rows.ts';
import type { Page, Upload, UploadQuery } from '../REGISTRY.ts';

/** Ends an upload of `owner`, or of anybody where that is null, with its writer and its bytes. */
export async function abandonUpload(context: Context, id: string, owner: string | null): Promise<void> {
  const uploadId = parseId(id, 'upload_id');
  const { backend_id, detail } = await context.database.write('upload.abandon', { id: uploadId, owner });
  await context.uploadWriters.end(uploadId);
  await context.dataplane.segments.discard({ uploadId, backendId: backend_id }, detail.segments);
}

/**
 * Ends whoever adds bytes to it, in whatever process; as it is then, with all that came. Where its file is being made
 * nobody is ended, and what was read before would lack the last bytes.
 */
export async function settleUpload({ database, uploadWriters }: Context, id: string): Promise<UploadRow | undefined> {
  if (!uploadWriters.isFinishing(id)) {
    await uploadWriters.end(id);
    await database.write('upload.fence', { id });
  }
  return await database.read('upload.get', { id });
}

/** What `owner` has open and has not expired, or with null all that is open, to be ended by hand. */
export async function listUploads(context: Context, query: UploadQuery, owner: string | null, all = false): Promise<Page<Upload>> {
  const limit = checkLimit(query);
  const bound = ['uploads', owner];
  const after = decodeCursor(bound, query.cursor, 'id');
  const now = all ? null : formatTimestamp(context.now());
  const { items, reached } = await context.database.read('upload.list', { owner, now, after, limit });
  return { items, next_cursor: reached === null ? null : encodeCursor(bound, reached) };
}

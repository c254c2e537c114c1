import { parseId } from '../../kernel/id.ts';
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

/** Ends whoever adds bytes to it, in whatever process; as it is then, with all that came. */
export async function settleUpload({ database, uploadWriters }: Context, id: string): Promise<UploadRow | undefined> {
  if (!uploadWriters.isFinishing(id)) {
    await uploadWriters.end(id);
    await database.write('upload.fence', { id });
  }
  return await database.read('upload.get', { id });
}

export async function listUploads(context: Context, query: UploadQuery): Promise<Page<Upload>> {
  const limit = checkLimit(query);
  const bound = ['uploads'];
  const after = decodeCursor(bound, query.cursor, 'path');
  const { items, more } = await context.database.read('upload.list', { after, limit });
  return { items, next_cursor: more ? encodeCursor(bound, items.at(-1)!.id) : null };
}

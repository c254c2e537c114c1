import { fromHex } from '../../kernel/content/digest.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { formatTimestamp } from '../../kernel/time.ts';
import type { Context } from '../context.ts';
import { requireUpload, type UploadRow } from '../operations/uploads/rows.ts';
import { superseded } from '../operations/uploads/uploads.ts';
import { abandonUpload } from '../uploads/end.ts';
import { defaultUploadSeconds, type OwnUpload, withUpload } from '../uploads/take.ts';

/**
 * All bytes of an object's upload are there: compares them with what was announced, and says to the session that they
 * are its own. Errors: `digest_mismatch`, after which the upload is gone; `upload_not_found`, where it was ended
 * meanwhile; those of a session that takes nothing.
 */
export async function receiveWhole(
  context: Context,
  { id, owner }: { readonly id: string; readonly owner: string | null },
): Promise<UploadRow> {
  const take = { id, owner, offset: null, size_bytes: null, body_bytes: null, policy: 'takeover', finishing: true } as const;
  try {
    return await withUpload(context, take, (own) => receive(context, own, owner));
  } catch (error) {
    if (!isArtifactstoreError(error, 'digest_mismatch')) throw error;
    const name = (await context.database.read('upload.get', { id }))?.detail.write_session?.name ?? id;
    await abandonUpload(context, id, owner).catch(() => undefined);
    throw new ArtifactstoreError(
      'digest_mismatch',
      `The bytes that came are not what was announced for "${name}": their SHA-256 differs. They are gone; begin its upload again.`,
      { field: name, info: error.info ?? {} },
    );
  }
}

async function receive(context: Context, own: OwnUpload, owner: string | null): Promise<UploadRow> {
  const { database, dataplane, background, uploadSeconds: lifetime_seconds = defaultUploadSeconds } = context;
  const { row, grows: sole } = own;
  if (row.state === 'finished') return row;
  const { id, backend_id: backendId, offset_bytes: sizeBytes, detail } = row;
  const { segments, epoch, digests } = detail;
  const place = { uploadId: id, backendId };
  try {
    const expected = { sizeBytes, digests: new Map(Object.entries(digests).map(([algorithm, hex]) => [algorithm, fromHex(hex)!])) };
    await dataplane.segments.check({ ...place, segments, sole }, expected);
    const received = await database.write('session.receive_upload', { id, epoch, sole, lifetime_seconds });
    if (received === null) throw superseded(id);
    if (!received.kept) background('draft_left', dataplane.segments.discard(place, segments));
    return received.row;
  } catch (error) {
    await own.record({ release: { grows: sole } }).catch(() => undefined);
    // Another process may have made it the object meanwhile.
    const now = await database.read('upload.get', { id });
    if (now?.state === 'finished') return now;
    // That it was ended meanwhile says more than that its bytes are not to be read, or that this is not its writer.
    requireUpload(now, id, owner, formatTimestamp(context.now()));
    throw error;
  }
}

import type { Transaction } from '../../../database/DATABASE.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { secondsAfter } from '../../../kernel/time.ts';
import type { Created } from '../../REGISTRY.ts';
import { beginUpload } from '../uploads/open-uploads.ts';
import { fromStored, isThere, readUpload, saveUpload, type UploadRow } from '../uploads/rows.ts';
import { ended } from '../uploads/uploads.ts';
import {
  noSession,
  noSessionObject,
  readSession,
  readSessionObject,
  requireLive,
  type SessionObjectRow,
  type SessionPlace,
} from './rows.ts';

// Objects of write sessions whose bytes come in pieces: an upload that becomes the bytes of an object, and no file.
// While it is under way the object has its id, and no segments.

/**
 * The upload of an object that is to be sent: a new one, or the one that the actor has begun. What somebody else began
 * ends. Errors: those of a session that takes nothing; `write_session_object_received`; `too_many_uploads`.
 */
export async function beginObjectUpload(
  transaction: Transaction,
  input: { readonly actor: string; readonly id: string; readonly name: string; readonly lifetime_seconds: number },
): Promise<Created<UploadRow> & { readonly places: readonly SessionPlace[] }> {
  const { sql, now } = transaction;
  const session = await readSession(sql, input.id);
  if (session === undefined) throw noSession(input.id);
  requireLive(session, now);
  const object = await readSessionObject(sql, input.id, input.name);
  if (object === undefined) throw noSessionObject(input.id, input.name);
  if (object.state !== 'put')
    throw new ArtifactstoreError(
      'write_session_object_received',
      `The write session ${input.id} has the bytes of "${input.name}" already, and needs no upload of them.`,
      { field: '/name', info: { state: object.state } },
    );
  const earlier = object.place_id === null ? undefined : await readUpload(sql, object.place_id);
  if (earlier !== undefined && earlier.created_by === input.actor && isThere(earlier, now))
    return { record: earlier, created: false, places: [] };
  const places = await endObjectUploads(transaction, [object]);
  const record = await beginUpload(transaction, {
    actor: input.actor,
    backend_id: session.backend_id,
    size_bytes: object.size_bytes,
    media_type: object.media_type,
    detail: {
      package_id: null,
      relative_path: null,
      annotations: {},
      digests: { sha256: object.sha256 },
      notes: {},
      write_session: { id: input.id, name: input.name },
    },
    lifetime_seconds: input.lifetime_seconds,
  });
  await sql
    .updateTable('write_session_objects')
    .set({ place_id: record.id })
    .where('session_id', '=', input.id)
    .where('name', '=', input.name)
    .execute();
  return { record, created: true, places };
}

/**
 * All bytes of an object's upload are there, and are what was announced: from now on they are the object's. `kept` is
 * false where the object has others already; these are then nobody's. Null for a writer that is not the last one any
 * more.
 */
export async function receiveUpload(
  transaction: Transaction,
  input: { readonly id: string; readonly epoch: number; readonly sole: boolean; readonly lifetime_seconds: number },
): Promise<{ readonly row: UploadRow; readonly kept: boolean } | null> {
  const { sql, now } = transaction;
  const upload = await readUpload(sql, input.id);
  const bound = upload?.detail.write_session;
  if (upload === undefined || bound === undefined) return null;
  const session = await readSession(sql, bound.id);
  if (session === undefined) throw noSession(bound.id);
  requireLive(session, now);
  if (upload.state !== 'open' || upload.detail.epoch !== input.epoch) return null;
  const { segments } = upload.detail;
  // A writer that was stopped may still be writing behind the last segment: it is copied then, and never linked.
  const kept = input.sole ? segments : segments.map((segment) => ({ ...segment, shared: true }));
  const { numUpdatedRows } = await sql
    .updateTable('write_session_objects')
    .set({ state: 'received', segments: JSON.stringify(kept) })
    .where('session_id', '=', bound.id)
    .where('name', '=', bound.name)
    .where('state', '=', 'put')
    .where('place_id', '=', upload.id)
    .executeTakeFirst();
  const { detail } = upload;
  const row: UploadRow = {
    ...upload,
    state: 'finished',
    updated_at: now,
    detail: {
      ...detail,
      epoch: detail.epoch + 1,
      ...{ segments: [], writer: null, grows: false },
      expires_at: secondsAfter(now, input.lifetime_seconds),
    },
  };
  await saveUpload(sql, row);
  return { row, kept: numUpdatedRows > 0n };
}

/** Ends the uploads of objects that are still to be sent; their bytes are then nobody's. */
export async function endObjectUploads(
  { sql, now }: Transaction,
  objects: readonly Pick<SessionObjectRow, 'state' | 'place_id'>[],
): Promise<readonly SessionPlace[]> {
  const ids = objects.flatMap(({ state, place_id }) => (state === 'put' && place_id !== null ? [place_id] : []));
  const places: SessionPlace[] = [];
  for (let start = 0; start < ids.length; start += 500) {
    const some = ids.slice(start, start + 500);
    const rows = await sql.selectFrom('uploads').selectAll().where('id', 'in', some).where('state', '=', 'open').execute();
    for (const row of rows.map(fromStored)) {
      await saveUpload(sql, ended(row, 'abandoned', now));
      places.push({ place_id: row.id, backend_id: row.backend_id, segments: row.detail.segments });
    }
  }
  return places;
}

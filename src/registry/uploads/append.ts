import type { Segment } from '../../dataplane/DATAPLANE.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { formatTimestamp } from '../../kernel/time.ts';
import type { Access } from '../access.ts';
import { checkFile } from '../checked-file.ts';
import type { Context } from '../context.ts';
import type { Ingest } from '../ingest.ts';
import { limits } from '../limits.ts';
import { tooManyBytes } from '../operations/uploads/open-uploads.ts';
import type { UploadRow } from '../operations/uploads/rows.ts';
import { superseded, tooManySegments } from '../operations/uploads/uploads.ts';
import { noSession, requireLive } from '../operations/write-sessions/rows.ts';
import type { AppendOptions } from '../REGISTRY.ts';
import { createRoom } from '../room.ts';
import { asWriter, type OwnUpload } from './take.ts';
import type { Writer } from './writers.ts';

export interface AppendParts {
  readonly context: Context;
  readonly access: Access;
  readonly ingest: Ingest;
}

export interface UploadBody {
  readonly id: string;
  readonly offset: number;
  readonly owner: string | null;
  readonly body: AsyncIterable<Uint8Array>;
  /** With which its writer has found the upload; as it is where absent. */
  readonly epoch?: number;
}

/**
 * Adds a body to an upload, for who has entered as its writer; the row as it is then. What came of a body that fails
 * counts, and its failure is thrown.
 */
export async function appendBody(
  parts: AppendParts,
  writer: Writer,
  { body, ...upload }: UploadBody,
  options: AppendOptions,
): Promise<UploadRow> {
  const { policy = 'takeover', size_bytes = null, body_bytes = null } = options;
  return await asWriter(parts.context, writer, { ...upload, policy, size_bytes, body_bytes }, async (own) => {
    let admitted: AsyncIterable<Uint8Array>;
    try {
      admitted = await admit(parts, own.row, body);
    } catch (error) {
      await own.record({ release: { grows: own.grows } });
      throw error;
    }
    return await writeBody(parts.context, own, own.watch(admitted), options);
  });
}

/** The body, to be read, where its file may still be added. Rights and room may be gone since it was begun. */
async function admit({ context, access, ingest }: AppendParts, row: UploadRow, body: AsyncIterable<Uint8Array>) {
  const { package_id, relative_path, write_session } = row.detail;
  if (write_session !== undefined) {
    await requireWriter({ context, access }, write_session.id);
    return body;
  }
  if (package_id === null || relative_path === null) {
    access.requireSomeWrite();
    return body;
  }
  await access.requirePackage(package_id, 'write');
  const file = checkFile({ relative_path, body });
  const room = createRoom(context, await ingest.announce(package_id, file));
  // What came before needs room as well.
  const sizeBytes = row.expected_size_bytes ?? row.offset_bytes;
  await room.admit({ entry: file.entry, expected: { sizeBytes } }, body);
  return row.expected_size_bytes === null ? await room.admit(file, body) : body;
}

/** Rights may be gone since it was begun, and the session with them. */
async function requireWriter({ context, access }: Pick<AppendParts, 'context' | 'access'>, id: string): Promise<void> {
  const found = await context.database.read('session.get', { id, objects: false });
  if (found === undefined || !access.sees(found.row.producer)) throw noSession(id);
  access.require('write', found.row.producer);
  requireLive(found.row, formatTimestamp(context.now()));
}

async function writeBody(context: Context, own: OwnUpload, body: AsyncIterable<Uint8Array>, options: AppendOptions): Promise<UploadRow> {
  const { row } = own;
  const { id, expected_size_bytes, offset_bytes, backend_id, detail } = row;
  const { signal, digests, block_digests, body_bytes, last = false } = options;
  const place = { uploadId: id, backendId: backend_id };
  const discard = (segments: readonly Segment[]) => context.background('draft_left', context.dataplane.segments.discard(place, segments));
  let recorded = detail.segments;
  const { segments, grows, failure } = await context.dataplane.segments.append(
    {
      ...place,
      epoch: detail.epoch,
      segments: recorded,
      grows: own.grows,
      maximumBytes: (expected_size_bytes ?? Number.MAX_SAFE_INTEGER) - offset_bytes,
      ...(body_bytes === undefined ? {} : { sourceBytes: body_bytes }),
      declared: Object.keys(detail.digests),
      ...(digests === undefined ? {} : { digests }),
      ...(block_digests === undefined ? {} : { blockDigests: block_digests }),
      signal: signal === undefined ? own.signal : AbortSignal.any([own.signal, signal]),
      async onDurable(durable) {
        const { row: now, room_bytes } = await own.record({ segments: durable });
        discard(without(recorded, durable));
        recorded = durable;
        if (room_bytes < 0) throw tooManyBytes(row.created_by, now.offset_bytes);
        if (durable.length >= limits.uploadSegments) throw tooManySegments(id);
        options.onDurable?.(now.offset_bytes);
      },
    },
    body,
  );
  const ended = await own
    .record({ segments, release: last && failure === undefined ? { grows, size: 'known' } : { grows } })
    .catch((error: unknown) => {
      // Nobody knows of them, and nobody will.
      const isOver = isArtifactstoreError(error, 'upload_superseded') || isArtifactstoreError(error, 'upload_not_found');
      if (isOver) discard(without(segments, recorded));
      throw error;
    });
  discard(without(recorded, segments));
  if (failure !== undefined) throw own.signal.aborted ? superseded(id) : failure.error;
  const { offset_bytes: offset, expected_size_bytes: size } = ended.row;
  if (last && offset !== size)
    throw new ArtifactstoreError('upload_length_mismatch', `The upload ${id} was to end at ${size}, and ended at ${offset}.`, {
      info: { size_bytes: size, offset_bytes: offset },
    });
  return ended.row;
}

/** Those whose names the others do not have. */
function without(segments: readonly Segment[], others: readonly Segment[]): readonly Segment[] {
  const names = new Set(others.map(({ name }) => name));
  return segments.filter(({ name }) => !names.has(name));
}

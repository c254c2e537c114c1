import { ArtifactstoreError } from '../../kernel/error.ts';
import { parseId } from '../../kernel/id.ts';
import { formatTimestamp } from '../../kernel/time.ts';
import type { Context } from '../context.ts';
import { beyond } from '../input.ts';
import { limits } from '../limits.ts';
import { requireUpload, type UploadRow } from '../operations/uploads/rows.ts';
import { abandonUpload } from './end.ts';
import { withUpload } from './take.ts';

/** The uploads of `owner` that another is to be made of. */
export async function wholeParts(context: Context, ids: readonly string[], owner: string | null): Promise<readonly UploadRow[]> {
  const now = formatTimestamp(context.now());
  const rows: UploadRow[] = [];
  for (const each of ids) {
    const id = parseId(each, 'parts');
    const row = requireUpload(await context.database.read('upload.get', { id }), id, owner, now);
    const { state, expected_size_bytes: size_bytes, offset_bytes, detail } = row;
    if (state === 'finished')
      throw new ArtifactstoreError('upload_finished', `The upload ${id} has become a file, and is no part of another.`, {
        field: 'parts',
        info: { file_id: detail.answer?.file_id },
      });
    if (offset_bytes !== size_bytes)
      throw new ArtifactstoreError('upload_incomplete', `The upload ${id} has ${offset_bytes} of ${size_bytes ?? 'unknown'} bytes.`, {
        field: 'parts',
        info: { upload_id: id, offset_bytes, size_bytes },
      });
    rows.push(row);
  }
  if (rows.length === 0 || rows.some(({ backend_id }) => backend_id !== rows[0]!.backend_id))
    throw new ArtifactstoreError('invalid_value', 'An upload is made of one or more others that are in the same backend.', {
      field: '/parts',
    });
  if (rows.reduce((sum, { detail }) => sum + detail.segments.length, 0) > limits.uploadSegments)
    throw new ArtifactstoreError(
      'too_many_uploads',
      `These uploads have more than ${limits.uploadSegments} pieces together, which is as many as one may have; join fewer.`,
      { ...beyond('upload_segments'), field: 'parts' },
    );
  return rows;
}

/** The length of what they make, which is `stated` where that was said. */
export function sizeOf(parts: readonly UploadRow[], stated: number | null): number {
  const size = parts.reduce((sum, { offset_bytes }) => sum + offset_bytes, 0);
  if (stated !== null && stated !== size)
    throw new ArtifactstoreError('upload_length_mismatch', `The parts of the upload have ${size} bytes together, not ${stated}.`, {
      info: { size_bytes: size },
    });
  return size;
}

/** Gives a new upload the bytes of the others; where that fails, it is gone. */
export async function joinParts(context: Context, { id, backend_id }: UploadRow, parts: readonly UploadRow[]): Promise<UploadRow> {
  const take = { id, owner: null, offset: 0, size_bytes: null, body_bytes: null, policy: 'locked', finishing: false } as const;
  try {
    return await withUpload(context, take, async (own) => {
      const segments = await context.dataplane.segments.join(
        { uploadId: id, backendId: backend_id, epoch: own.row.detail.epoch },
        parts.map((part) => ({ uploadId: part.id, segments: part.detail.segments })),
      );
      return (await own.record({ segments, release: { grows: false } })).row;
    });
  } catch (error) {
    await abandonUpload(context, id, null).catch(() => undefined);
    throw error;
  }
}

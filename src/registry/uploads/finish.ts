import { fromHex, sameBytes } from '../../kernel/content/digest.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { formatTimestamp } from '../../kernel/time.ts';
import type { CheckedFile, FileEntry } from '../checked-file.ts';
import { requireUpload, type UploadRow } from '../operations/uploads/rows.ts';
import type { Release } from '../operations/uploads/uploads.ts';
import type { Created, File, WriterPolicy } from '../REGISTRY.ts';
import type { AppendParts } from './append.ts';
import type { CheckedUpload } from './check-upload.ts';
import { defaultUploadSeconds, withUpload } from './take.ts';

/**
 * Makes the file of an upload whose bytes are all there. It is not stopped when its caller is gone: whoever asks again
 * finds the answer.
 */
export async function finishWhole(
  parts: AppendParts,
  upload: { readonly id: string; readonly owner: string | null },
  input: CheckedUpload,
  policy: WriterPolicy = 'takeover',
): Promise<Created<File>> {
  const { context } = parts;
  const { database, dataplane, background } = context;
  const take = { ...upload, offset: null, size_bytes: null, body_bytes: null, policy, finishing: true };
  return await withUpload(context, take, async (own) => {
    const { row } = own;
    const bound = row.detail.write_session;
    if (bound !== undefined) {
      if (row.state === 'open') await own.record({ release: { grows: own.grows, ...(own.sized ? {} : { size: 'unknown' }) } });
      throw new ArtifactstoreError(
        'upload_of_write_session',
        `The upload ${row.id} becomes no file by itself: its last byte makes "${bound.name}" an object of the write session ${bound.id}.`,
        { info: { write_session_id: bound.id } },
      );
    }
    if (row.state === 'finished') return await answerOf(parts, row, input);
    const { segments } = row.detail;
    let release: Release = { grows: own.grows, ...(own.sized ? {} : { size: 'unknown' }) };
    try {
      const { package_id, ...file } = named(row, input);
      await parts.access.requirePackage(package_id, 'write');
      requireWhole(row, input);
      const target = await parts.ingest.announce(package_id, file);
      const place = { uploadId: row.id, backendId: row.backend_id };
      const { draft, owned } = await dataplane.segments.stage({ ...place, segments, sole: own.grows }, target.backendId, file.expected);
      try {
        // From here on its bytes may be those of an object, and are neither written to nor added to.
        release = { grows: false };
        const stored = { id: row.id, lifetime_seconds: context.uploadSeconds ?? defaultUploadSeconds };
        const [made] = await parts.ingest.commit(target, [{ draft, ...file.entry }], { stored });
        background('draft_left', dataplane.segments.discard(place, segments));
        return made!;
      } finally {
        if (!owned) background('draft_left', dataplane.discard(draft));
      }
    } catch (error) {
      await own.record({ release }).catch(() => undefined);
      // Another process may have made the file meanwhile, and its bytes are gone from here.
      const now = await database.read('upload.get', { id: row.id });
      if (now?.state === 'finished') return await answerOf(parts, now, input);
      // That it was ended meanwhile says more than that its bytes are not to be read.
      requireUpload(now, row.id, upload.owner, formatTimestamp(context.now()));
      throw error;
    }
  });
}

async function answerOf({ access, context }: AppendParts, { id, detail }: UploadRow, input: CheckedUpload): Promise<Created<File>> {
  const { file_id, created } = detail.answer!;
  const other =
    (input.package_id !== null && input.package_id !== detail.package_id) ||
    (input.relative_path !== null && input.relative_path !== detail.relative_path);
  if (other) throw new ArtifactstoreError('upload_finished', `The upload ${id} has become another file.`, { info: { file_id } });
  const record = await context.database.read('file.get', { id: file_id });
  if (record === undefined || !(await access.seesPackage(record.package_id)))
    throw new ArtifactstoreError('file_not_found', `The upload ${id} has become the file ${file_id}, which is not there any more.`);
  return { record, created };
}

/** The file as it was named when the upload was begun, or now. */
export function named(row: UploadRow, input: CheckedUpload): CheckedFile & { readonly package_id: string } {
  const { detail } = row;
  const package_id = one('package_id', detail.package_id, input.package_id);
  const relative_path = one('relative_path', detail.relative_path, input.relative_path);
  if (package_id === null || relative_path === null)
    throw new ArtifactstoreError('invalid_value', `The upload ${row.id} has no package and path yet: name both.`, {
      field: package_id === null ? '/package_id' : '/relative_path',
    });
  const given = Object.keys(input.annotations).length > 0;
  const entry: FileEntry = {
    relative_path,
    media_type: one('media_type', row.media_type, input.media_type) ?? 'application/octet-stream',
    annotations: given ? input.annotations : detail.annotations,
  };
  const digests = digestsOf(detail.digests);
  for (const [algorithm, digest] of input.digests) {
    const known = digests.get(algorithm);
    if (known !== undefined && !sameBytes(known, digest)) throw otherwise('digests');
    digests.set(algorithm, digest);
  }
  return { package_id, entry, expected: { sizeBytes: row.offset_bytes, digests }, signal: undefined };
}

/** As raw bytes, of lowercase hex. */
export function digestsOf(digests: UploadRow['detail']['digests']): Map<string, Uint8Array> {
  return new Map(Object.entries(digests).map(([algorithm, hex]) => [algorithm, fromHex(hex)!]));
}

function one(name: string, before: string | null, now: string | null): string | null {
  if (before !== null && now !== null && before !== now) throw otherwise(name);
  return before ?? now;
}

function otherwise(name: string): ArtifactstoreError {
  return new ArtifactstoreError('invalid_value', `"${name}" is not what the upload was begun with; leave it out, or begin another.`, {
    field: `/${name}`,
  });
}

function requireWhole({ id, offset_bytes, expected_size_bytes }: UploadRow, input: CheckedUpload): void {
  const info = { size_bytes: expected_size_bytes ?? input.size_bytes, offset_bytes };
  if (input.size_bytes !== null && input.size_bytes !== (expected_size_bytes ?? offset_bytes))
    throw new ArtifactstoreError(
      'upload_length_mismatch',
      `The upload ${id} has ${offset_bytes} bytes${expected_size_bytes === null ? '' : ` of ${expected_size_bytes}`}, not ${input.size_bytes}.`,
      { info },
    );
  if (expected_size_bytes !== null && offset_bytes < expected_size_bytes)
    throw new ArtifactstoreError('upload_incomplete', `The upload ${id} has ${offset_bytes} of ${expected_size_bytes} bytes.`, { info });
}

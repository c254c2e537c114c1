import { toHex } from '../../kernel/content/digest.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { parseId } from '../../kernel/id.ts';
import { formatTimestamp } from '../../kernel/time.ts';
import type { Access } from '../access.ts';
import { checkFile } from '../checked-file.ts';
import type { FillablePackage } from '../commit-files.ts';
import type { Context } from '../context.ts';
import { createIngest } from '../ingest.ts';
import type { BeginUpload } from '../operations/uploads/open-uploads.ts';
import { isThere, type UploadRow, uploadRecord } from '../operations/uploads/rows.ts';
import type { AppendOptions, NewUpload, Upload, Uploads } from '../REGISTRY.ts';
import { createRoom } from '../room.ts';
import { receiveWhole } from '../write-sessions/receive-upload.ts';
import { tellSessionEnd } from '../write-sessions/session-end.ts';
import { appendBody, type UploadBody } from './append.ts';
import { type CheckedUpload, checkBlockDigests, checkCount, checkUpload } from './check-upload.ts';
import { abandonUpload, listUploads, settleUpload } from './end.ts';
import { finishWhole } from './finish.ts';
import { joinParts, sizeOf, wholeParts } from './join.ts';
import { defaultUploadSeconds } from './take.ts';
import { beginsWhole, beginWhole, takeWhole } from './whole.ts';

export function createUploads(context: Context, access: Access): Uploads {
  const { database, uploadSeconds = defaultUploadSeconds } = context;
  const ingest = createIngest(context, access.actor);
  const parts = { context, access, ingest };
  /** Whose uploads are seen; null for everybody's. */
  const owner = access.administers ? null : access.actor;

  /** Where the file may be added, its package where that is named. */
  async function admit({ package_id, relative_path, size_bytes, digests }: CheckedUpload): Promise<FillablePackage | undefined> {
    if (package_id === null || relative_path === null) {
      access.requireSomeWrite();
      return undefined;
    }
    await access.requirePackage(package_id, 'write');
    const body = nothing();
    const file = checkFile({ relative_path, body, digests, ...(size_bytes === null ? {} : { size_bytes }) });
    const target = await ingest.announce(package_id, file);
    await createRoom(context, target).admit(file, body);
    return target;
  }

  function newUpload(checked: CheckedUpload, backend_id: string, notes: NewUpload['notes'] = {}): BeginUpload {
    const { package_id, relative_path, annotations, media_type, size_bytes } = checked;
    const digests = Object.fromEntries([...checked.digests].map(([algorithm, digest]) => [algorithm, toHex(digest)]));
    const detail = { package_id, relative_path, annotations, digests, notes };
    return { actor: access.actor, backend_id, size_bytes, media_type, detail, lifetime_seconds: uploadSeconds };
  }

  async function appendAsWriter(upload: UploadBody, options: AppendOptions): Promise<UploadRow> {
    const writer = await context.uploadWriters.enter(upload.id, options.policy ?? 'takeover', false);
    try {
      const whole = await takeWhole(parts, writer, upload, options);
      return whole.row ?? (await appendBody(parts, whole.writer, whole.upload, whole.options));
    } finally {
      writer.leave();
    }
  }

  function record(row: UploadRow | undefined): Upload | undefined {
    if (row === undefined || (owner !== null && row.created_by !== owner)) return undefined;
    return isThere(row, formatTimestamp(context.now())) ? uploadRecord(row) : undefined;
  }

  return {
    async begin(input: NewUpload) {
      const checked = checkUpload(input);
      if ((checked.package_id === null) !== (checked.relative_path === null))
        throw new ArtifactstoreError('invalid_value', '"package_id" and "relative_path" are named both, or neither.', {
          field: checked.package_id === null ? '/package_id' : '/relative_path',
        });
      const sources = input.parts === undefined ? undefined : await wholeParts(context, input.parts, owner);
      const sized = sources === undefined ? checked : { ...checked, size_bytes: sizeOf(sources, checked.size_bytes) };
      const target = await admit(sized);
      const backendId = sources?.[0]?.backend_id ?? target?.backendId ?? context.defaultBackend;
      const row = await database.write('upload.begin', newUpload(sized, backendId, input.notes));
      return uploadRecord(sources === undefined ? row : await joinParts(context, row, sources));
    },

    async beginWhole(input, body, options = {}) {
      const checked = checkUpload(input);
      if (input.parts !== undefined || !beginsWhole(checked, options)) return undefined;
      const target = await admit(checked);
      const row = await beginWhole(parts, target!, newUpload(checked, target!.backendId, input.notes), body, options);
      return row === undefined ? undefined : uploadRecord(row);
    },

    async append(id, offset, body, options = {}) {
      const upload = { id: parseId(id, 'upload_id'), owner, offset: checkCount(offset, 'offset') };
      if (options.size_bytes !== undefined) checkCount(options.size_bytes, 'size_bytes');
      if (options.block_digests !== undefined) checkBlockDigests(options.block_digests);
      const row = await tellSessionEnd(parts, upload.id, async () => {
        const appended = await appendAsWriter({ ...upload, body }, options);
        const isObject = appended.state === 'open' && appended.detail.write_session !== undefined;
        return isObject && appended.offset_bytes === appended.expected_size_bytes ? await receiveWhole(context, upload) : appended;
      });
      if (row.state === 'finished') return uploadRecord(row);
      const isWhole = row.detail.package_id !== null && row.offset_bytes === row.expected_size_bytes;
      if (isWhole && options.finishes !== false) {
        await finishWhole(parts, upload, checkUpload({}), options.policy);
        return uploadRecord((await database.read('upload.get', { id: row.id })) ?? row);
      }
      return uploadRecord(row);
    },

    async status(id, { settle = false } = {}) {
      const key = { id: parseId(id, 'upload_id') };
      const found = record(await database.read('upload.get', key));
      if (found?.state !== 'open' || !settle) return found;
      return record(await settleUpload(context, key.id));
    },

    list: (query = {}) => listUploads(context, query, owner),

    async finish(id, input = {}) {
      return await finishWhole(parts, { id: parseId(id, 'upload_id'), owner }, checkUpload(input), input.policy);
    },

    abandon: (id) => abandonUpload(context, id, owner),
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

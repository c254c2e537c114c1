import type { FastifyReply, FastifyRequest } from 'fastify';
import { readBody, readOnce } from '../../../../http/body.ts';
import { ArtifactstoreError, type ErrorCode } from '../../../../kernel/error.ts';
import type { AppendOptions, Upload } from '../../../../registry/REGISTRY.ts';
import { refuseBlockDigests, statedBlockDigests } from '../../block-digests.ts';
import type { RouteContext } from '../../route.ts';
import { noSuchUpload, uploadsOf } from '../uploads.ts';
import {
  announcedLength,
  bringsBytes,
  checksumOf,
  concatOf,
  countField,
  describedFile,
  fieldOf,
  refuseField,
  requireBytes,
  uploadIdOf,
} from './fields.ts';

/** tus 1.0 over the uploads of the registry. */

const notedFields = ['upload-metadata', 'upload-concat'] as const;

/** POST: a new upload, with its first bytes where the request has some; or the whole of several that are parts. */
export async function createTusUpload(context: RouteContext, request: FastifyRequest): Promise<Upload> {
  const uploads = uploadsOf(request);
  const concat = concatOf(request);
  const file = describedFile(request);
  const notes = Object.fromEntries(
    notedFields.flatMap((name) => (fieldOf(request, name) === undefined ? [] : [[name, fieldOf(request, name)!]])),
  );
  if (concat?.kind === 'final') {
    for (const name of ['upload-length', 'upload-defer-length'])
      if (fieldOf(request, name) !== undefined) throw refuseField(name, 'The length of a final upload is that of its parts.');
    if (bringsBytes(request)) throw refuseField('content-type', 'A final upload has no bytes but those of its parts.');
    const parts = concat.parts.map((address) => uploadIdOf(address, request.prefix));
    const upload = await uploads.begin({ ...file, notes, parts });
    return await orAbandon(request, upload, () => finishWhole(request, upload));
  }
  const size = announcedLength(request);
  const options = bringsBytes(request) ? appendOptions(request) : undefined;
  if (options === undefined) refuseBlockDigests(request.raw);
  // What a part is one of is told with the whole.
  const described = concat === undefined ? file : {};
  const begun = { ...described, notes, ...(size === undefined ? {} : { size_bytes: size }) };
  const body = options === undefined ? undefined : bodyOf(context, request);
  const whole = body === undefined ? undefined : await uploads.beginWhole(begun, body, options);
  if (whole !== undefined) return whole;
  const upload = await uploads.begin(begun);
  if (body === undefined) return await orAbandon(request, upload, () => finishWhole(request, upload));
  return await orAbandon(request, upload, () => uploads.append(upload.id, 0, body, options));
}

/** PATCH: more bytes, from `Upload-Offset` on. */
export async function patchTusUpload(context: RouteContext, request: FastifyRequest, id: string): Promise<Upload> {
  const offset = countField(request, 'upload-offset');
  if (offset === undefined) throw refuseField('upload-offset', 'Upload-Offset is missing.');
  const size = countField(request, 'upload-length');
  const options = { ...appendOptions(request), ...(size === undefined ? {} : { size_bytes: size }) };
  try {
    return await uploadsOf(request).append(id, offset, bodyOf(context, request), options);
  } catch (error) {
    const upload = await uploadsOf(request)
      .status(id)
      .catch(() => undefined);
    if (!isFinal(upload)) throw error;
    throw new ArtifactstoreError('forbidden', `The upload ${id} is made of others, and takes no bytes.`, { field: 'upload_id' });
  }
}

/**
 * HEAD: where the upload is. A client takes one whose bytes are all there for done: so the file is made, where the
 * request that brought its last byte could not make it.
 */
export async function findTusUpload(request: FastifyRequest, id: string): Promise<Upload> {
  const upload = await uploadsOf(request).status(id);
  if (upload === undefined) throw noSuchUpload(id);
  return await finishWhole(request, upload);
}

/** What an answer says of an upload, besides its version. */
export function stateTusUpload(reply: FastifyReply, { offset_bytes, expires_at }: Upload): FastifyReply {
  return reply.header('upload-offset', String(offset_bytes)).header('upload-expires', new Date(expires_at).toUTCString());
}

/** What HEAD adds. */
export function describeTusUpload(reply: FastifyReply, { size_bytes, notes }: Upload): FastifyReply {
  for (const name of notedFields) if (notes[name] !== undefined) reply.header(name, notes[name]);
  if (size_bytes === null) reply.header('upload-defer-length', '1');
  else reply.header('upload-length', String(size_bytes));
  return reply.header('cache-control', 'no-store');
}

/** The upload as it is, once its file is made where its bytes are all there and it has a name. */
async function finishWhole(request: FastifyRequest, upload: Upload): Promise<Upload> {
  const { id, state, package_id, offset_bytes, size_bytes } = upload;
  if (state === 'finished' || package_id === null || offset_bytes !== size_bytes) return upload;
  const { record } = await uploadsOf(request).finish(id, { policy: 'locked' });
  return { ...upload, state: 'finished', file_id: record.id };
}

/** Where the server cannot take the first bytes now, the client has the address, and continues. */
const temporary: ReadonlySet<ErrorCode> = new Set(['storage_full', 'storage_unavailable', 'database_unavailable', 'too_busy']);

/** Whoever is refused is not told of an upload: it goes. */
async function orAbandon(request: FastifyRequest, { id }: Upload, work: () => Promise<Upload>): Promise<Upload> {
  const uploads = uploadsOf(request);
  try {
    return await work();
  } catch (error) {
    if (error instanceof ArtifactstoreError && temporary.has(error.code)) {
      const upload = await uploads.status(id).catch(() => undefined);
      if (upload !== undefined && upload.offset_bytes !== upload.size_bytes) return upload;
    }
    await uploads.abandon(id).catch(() => undefined);
    throw error;
  }
}

function appendOptions(request: FastifyRequest): AppendOptions {
  const bytes = requireBytes(request);
  const digests = checksumOf(request);
  return {
    policy: 'locked',
    ...(bytes === undefined ? {} : { body_bytes: bytes }),
    ...(digests === undefined ? {} : { digests }),
    ...statedBlockDigests(request.raw),
  };
}

function bodyOf(context: RouteContext, request: FastifyRequest): AsyncIterable<Uint8Array> {
  return readOnce(readBody(request, context.limits));
}

function isFinal(upload: Upload | undefined): boolean {
  return upload?.notes['upload-concat']?.trim().startsWith('final') === true;
}

import type { FastifyReply, FastifyRequest } from 'fastify';
import { essence, hasBody, readBody, readOnce, refuseContentEncoding } from '../../../http/body.ts';
import { fieldsOf, refuseLateDigests, statedDigests } from '../../../http/stated-digests.ts';
import { ArtifactstoreError, isArtifactstoreError, withInfo } from '../../../kernel/error.ts';
import { formatBooleanField, interopVersion, partialUploadType } from '../../../protocol/resumable-upload.ts';
import type { AppendOptions, Created, File, Upload } from '../../../registry/REGISTRY.ts';
import { statedBlockDigests } from '../block-digests.ts';
import { problems } from '../problem.ts';
import type { RouteContext } from '../route.ts';
import { refuseOther, requirePrecondition, statedFile } from '../upload.ts';
import { bodyLength, type ResumableFields, resumableFields, wholeLength } from './fields.ts';
import { stateUpload, uploadLimit, uploadsOf } from './uploads.ts';

/** Resumable uploads over HTTP, as draft-ietf-httpbis-resumable-upload has them: requests onto the facet `uploads`. */

/** What became of a request: the file where it is whole, or else the upload as it is. */
export type Received = { readonly upload: Upload; readonly file?: undefined } | { readonly file: Created<File> };

/**
 * Whether a PUT of a file begins an upload. A whole file from a client that could not be told the upload's address is
 * put as any other.
 */
export function beginsUpload(request: FastifyRequest): boolean {
  const { complete, offset, understands104 } = resumableFields(request.raw);
  if (offset !== undefined)
    throw new ArtifactstoreError('invalid_header', 'Upload-Offset is for a PATCH of an upload; a PUT begins one.', {
      field: 'upload-offset',
    });
  return complete === false || (complete === true && understands104);
}

/** The first bytes of a file, or all of them. Where they break off, the upload that 104 named can be continued. */
export async function createUpload(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  packageId: string,
): Promise<Received> {
  const { raw } = request;
  const uploads = uploadsOf(request);
  const fields = resumableFields(raw);
  const description = statedFile(request);
  const size = wholeLength(raw, fields, 0);
  statedBlockDigests(raw);
  const { content, whole } = digestsOf(request);
  // Of a body that is the whole file both fields say the same, and hold for what is added to it later.
  const digests = fields.complete === true ? statedDigests(fieldsOf(raw.headers)) : whole;
  await requirePrecondition(request, packageId, description.relative_path);
  const upload = await uploads.begin({
    package_id: packageId,
    ...description,
    ...(size === undefined ? {} : { size_bytes: size }),
    ...(digests.size === 0 ? {} : { digests }),
  });
  if (fields.understands104)
    reply.raw.writeInformation(104, {
      location: `${request.prefix}/uploads/${upload.id}`,
      'upload-limit': uploadLimit(upload),
      'upload-draft-interop-version': String(interopVersion),
    });
  try {
    const received = await add(context, request, reply, {
      id: upload.id,
      offset: 0,
      fields,
      content: fields.complete === true ? undefined : content,
    });
    if (received.file !== undefined) refuseOther(request, received.file);
    return received;
  } catch (error) {
    // Nobody knows of it.
    if (!fields.understands104) await uploads.abandon(upload.id).catch(() => undefined);
    throw error;
  }
}

/** PATCH of an upload: the bytes from `Upload-Offset` on. */
export async function continueUpload(context: RouteContext, request: FastifyRequest, reply: FastifyReply, id: string): Promise<Received> {
  const { raw } = request;
  if (essence(raw.headers['content-type']) !== partialUploadType)
    throw new ArtifactstoreError('unsupported_media_type', `Bytes are added to an upload as ${partialUploadType}.`, {
      field: 'content-type',
    });
  refuseContentEncoding(raw);
  refuseLateDigests(raw.headers.trailer);
  const fields = resumableFields(raw);
  const { complete, offset } = fields;
  if (complete === undefined || offset === undefined)
    throw new ArtifactstoreError('invalid_header', 'A PATCH of an upload says Upload-Offset, and Upload-Complete.', {
      field: offset === undefined ? 'upload-offset' : 'upload-complete',
    });
  const { content, whole } = digestsOf(request);
  if (!complete && whole.size > 0)
    throw new ArtifactstoreError('invalid_header', 'Repr-Digest is checked when it comes with the beginning or the end of an upload.', {
      field: 'repr-digest',
    });
  return await add(context, request, reply, { id, offset, fields, content, whole });
}

/** Answers with the file, or where the upload is: 201 names it where it was just begun. */
export function sendReceived(reply: FastifyReply, received: Received, status: 201 | 204): FastifyReply {
  if (received.file === undefined) {
    const { upload } = received;
    if (status === 201) reply.header('location', `/uploads/${upload.id}`);
    return stateUpload(reply.code(status), upload).send(status === 201 ? upload : null);
  }
  const { record, created } = received.file;
  return reply
    .code(created ? 201 : 200)
    .headers({ location: `/files/${record.id}`, 'upload-offset': String(record.size_bytes), 'upload-complete': formatBooleanField(true) })
    .send(record);
}

interface Part {
  readonly id: string;
  readonly offset: number;
  readonly fields: ResumableFields;
  /** Of the body alone. */
  readonly content: AppendOptions['digests'] | undefined;
  /** Of the whole file. */
  readonly whole?: ReadonlyMap<string, Uint8Array>;
}

async function add(context: RouteContext, request: FastifyRequest, reply: FastifyReply, part: Part): Promise<Received> {
  const { raw } = request;
  const { id, offset, fields, content, whole = new Map() } = part;
  const uploads = uploadsOf(request);
  const body = bodyLength(raw);
  const size = wholeLength(raw, fields, offset);
  const sent = readOnce(readBody(request, context.limits));
  const upload = await uploads
    .append(id, offset, sent, {
      policy: 'takeover',
      finishes: false,
      last: fields.complete === true,
      ...(body === undefined ? {} : { body_bytes: body }),
      ...(size === undefined ? {} : { size_bytes: size }),
      ...(content === undefined || content.size === 0 ? {} : { digests: content }),
      ...(fields.understands104 ? { onDurable: (bytes) => tellProgress(reply, bytes) } : {}),
      ...statedBlockDigests(raw),
    })
    .catch((error: unknown) => afterFinish(request, part, sent, error));
  if (fields.complete !== true || (upload !== undefined && upload.package_id === null)) return { upload: upload! };
  try {
    return { file: await uploads.finish(id, whole.size === 0 ? {} : { digests: whole }) };
  } catch (error) {
    throw ofWhole(error);
  }
}

/** 104 without an address: how much the client need not keep any more. */
function tellProgress({ raw }: FastifyReply, offsetBytes: number): void {
  if (raw.headersSent || raw.destroyed) return;
  raw.writeInformation(104, { 'upload-offset': String(offsetBytes), 'upload-draft-interop-version': String(interopVersion) });
}

/**
 * An upload that is finished takes nothing more: to end it once again without a byte asks for the answer that was lost,
 * which `undefined` stands for.
 */
async function afterFinish(
  request: FastifyRequest,
  { offset, fields, content }: Part,
  sent: AsyncIterable<Uint8Array>,
  error: unknown,
): Promise<undefined> {
  if (isArtifactstoreError(error, 'upload_offset_mismatch'))
    throw withInfo(error, { provided_offset_bytes: offset, upload_complete: false });
  if (!isArtifactstoreError(error, 'upload_finished')) throw error;
  const again = fields.complete === true && error.info?.offset_bytes === offset && (content?.size ?? 0) === 0;
  const bringsBytes = hasBody(request.raw) && (bodyLength(request.raw) !== undefined || (await hasByte(sent)));
  if (again && !bringsBytes) return undefined;
  if (!bringsBytes) throw withInfo(error, { upload_complete: true });
  throw new ArtifactstoreError('upload_length_mismatch', `${error.message} Its bytes are all there.`, {
    info: { ...error.info, upload_complete: true },
  });
}

async function hasByte(body: AsyncIterable<Uint8Array>): Promise<boolean> {
  for await (const chunk of body) if (chunk.byteLength > 0) return true;
  return false;
}

/** All bytes are there: an error that would be the same again is about the file, and says so. */
function ofWhole(error: unknown): unknown {
  if (!isArtifactstoreError(error) || error.code === 'upload_superseded' || problems[error.code][0] >= 500) return error;
  return withInfo(error, { upload_complete: true });
}

/** RFC 9530: Content-Digest is about a body, Repr-Digest about the file; likewise the two fields before them. */
function digestsOf(request: FastifyRequest): {
  readonly content: ReadonlyMap<string, Uint8Array>;
  readonly whole: ReadonlyMap<string, Uint8Array>;
} {
  const fields = fieldsOf(request.raw.headers);
  const only = (...names: readonly string[]): ReadonlyMap<string, Uint8Array> =>
    statedDigests(new Map([...fields].filter(([name]) => names.includes(name))));
  return { content: only('content-digest', 'content-md5'), whole: only('repr-digest', 'digest') };
}

import type { FastifyReply, FastifyRequest } from 'fastify';
import { readBody, readOnce, refuseContentEncoding, statedLength } from '../../../http/body.ts';
import { fieldsOf, refuseLateDigests, statedDigests } from '../../../http/stated-digests.ts';
import { parseAddress, splitAddress } from '../../../kernel/content/address.ts';
import { fromHex } from '../../../kernel/content/digest.ts';
import { ArtifactstoreError, isArtifactstoreError, withField } from '../../../kernel/error.ts';
import { type ContentRange, parseContentRange } from '../../../protocol/content-range.ts';
import { formatBooleanField, formatLimitField } from '../../../protocol/resumable-upload.ts';
import { limits } from '../../../registry/limits.ts';
import type { Created, File, Upload, Uploads } from '../../../registry/REGISTRY.ts';
import { refuseBlockDigests, statedBlockDigests } from '../block-digests.ts';
import type { CompleteUpload, OpenUpload } from '../request-bodies.ts';
import type { RouteContext } from '../route.ts';

/** The wire that clients of 0.1 speak: a body, or ranges of it, at the upload's address, and then its name. */

export function uploadsOf({ registry }: FastifyRequest): Uploads {
  if (registry.uploads === undefined) throw new Error('This registry takes no uploads.');
  return registry.uploads;
}

export async function beginUpload(request: FastifyRequest, { expected_size_bytes, media_type }: OpenUpload): Promise<Upload> {
  refuseBlockDigests(request.raw);
  return await uploadsOf(request).begin({
    ...(expected_size_bytes == null ? {} : { size_bytes: expected_size_bytes }),
    ...(media_type == null ? {} : { media_type }),
  });
}

/**
 * PUT of the whole, or of the range that Content-Range names: it begins where the upload is. Errors: `invalid_header`,
 * `length_mismatch` for a body that is not as long as its range, and those of `append`.
 */
export async function receiveRange(context: RouteContext, request: FastifyRequest, id: string): Promise<Upload> {
  const { raw } = request;
  refuseContentEncoding(raw);
  refuseLateDigests(raw.headers.trailer);
  const range = statedRange(request);
  const fields = fieldsOf(raw.headers);
  if (range !== undefined && fields.has('repr-digest'))
    throw new ArtifactstoreError('invalid_header', 'A range of an upload has no Repr-Digest: state the Content-Digest of the range.', {
      field: 'repr-digest',
    });
  const digests = statedDigests(fields);
  const length = raw.headers['transfer-encoding'] === undefined ? (statedLength(raw) ?? 0) : undefined;
  const bytes = range === undefined ? undefined : range.last - range.first + 1;
  if (length !== undefined && bytes !== undefined && length !== bytes) throw otherLength(bytes);
  const body = readOnce(readBody(request, context.limits));
  return await uploadsOf(request).append(id, range?.first ?? 0, bytes === undefined ? body : exactly(bytes, body), {
    ...(range === undefined ? { last: true } : {}),
    ...(range?.size === undefined ? {} : { size_bytes: range.size }),
    ...((bytes ?? length) === undefined ? {} : { body_bytes: (bytes ?? length)! }),
    ...(digests.size === 0 ? {} : { digests }),
    ...statedBlockDigests(raw),
  });
}

export async function completeUpload(
  request: FastifyRequest,
  id: string,
  { media_type, content_address, ...named }: CompleteUpload,
): Promise<Created<File>> {
  try {
    return await uploadsOf(request).finish(id, {
      ...named,
      ...(media_type == null ? {} : { media_type }),
      ...(content_address === undefined ? {} : { digests: digestsOf(content_address) }),
    });
  } catch (error) {
    // What the body calls otherwise.
    throw isArtifactstoreError(error) && error.field === '/digests' ? withField(error, '/content_address') : error;
  }
}

function digestsOf(contentAddress: string): ReadonlyMap<string, Uint8Array> {
  const { algorithm, hex } = splitAddress(parseAddress(contentAddress, '/content_address'));
  return new Map([[algorithm, fromHex(hex)!]]);
}

/** What an answer about an upload says in its headers. */
export function stateUpload(reply: FastifyReply, upload: Upload): FastifyReply {
  if (upload.size_bytes !== null) reply.header('upload-length', String(upload.size_bytes));
  return reply.headers({
    'upload-offset': String(upload.offset_bytes),
    'upload-complete': formatBooleanField(upload.state === 'finished'),
    'upload-limit': uploadLimit(upload),
    'cache-control': 'no-store',
  });
}

/** What an upload may be, in `Upload-Limit`; without one, what holds before it is begun. */
export function uploadLimit(upload?: Upload): string {
  return formatLimitField({
    maximumBytes: limits.openUploadBytes,
    ...(upload === undefined ? {} : { secondsLeft: (Date.parse(upload.expires_at) - Date.now()) / 1000 }),
  });
}

export function noSuchUpload(id: string): ArtifactstoreError {
  return new ArtifactstoreError('upload_not_found', `There is no upload ${id}, or it has ended; begin it again.`, { field: 'upload_id' });
}

function statedRange({ headers }: FastifyRequest): ContentRange | undefined {
  const value = headers['content-range'];
  if (value === undefined) return undefined;
  const range = parseContentRange(value);
  if (range === undefined)
    throw new ArtifactstoreError('invalid_header', 'Content-Range is not one of bytes: write "bytes 0-99/1000", or "bytes 0-99/*".', {
      field: 'content-range',
    });
  return range;
}

/** What of the body belongs to the range. What came of one that ends early counts, as of one that breaks off. */
async function* exactly(bytes: number, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let left = bytes;
  for await (const chunk of body) {
    left -= chunk.byteLength;
    if (left < 0) throw otherLength(bytes);
    yield chunk;
  }
  if (left > 0) throw otherLength(bytes);
}

function otherLength(bytes: number): ArtifactstoreError {
  return new ArtifactstoreError('length_mismatch', `The body does not have the ${bytes} bytes that Content-Range says.`, {
    field: 'content-range',
    info: { expected_bytes: bytes },
  });
}

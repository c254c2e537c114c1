import { create as contentDisposition } from 'content-disposition';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { ifMatchHolds, ifNoneMatchHits, ifRangeHolds } from '../protocol/conditional.ts';
import { formatDigestField } from '../protocol/digest-fields.ts';
import { formatContentRange, parseRange, type RangeRequest } from '../protocol/range.ts';
import type { File, FileTarget, OpenOptions } from '../registry/REGISTRY.ts';
import type { RouteContext } from './route.ts';
import { disconnectSignal, sendBytes } from './send.ts';

/** Answers GET and HEAD for the bytes of a file: conditions, a single range, and the headers that say what the bytes are. */
export async function sendFile(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  target: FileTarget,
): Promise<FastifyReply> {
  const { headers, method } = request.raw;
  const conditional = headers['if-none-match'] !== undefined || headers['if-match'] !== undefined || headers['if-range'] !== undefined;
  let range = method === 'GET' && headers.range !== undefined ? parseRange(headers.range) : undefined;
  if (conditional || method === 'HEAD' || isEmptySuffix(range)) {
    const file = await readable(request, target);
    const etag = `"${file.content_address}"`;
    if (headers['if-match'] !== undefined && !ifMatchHolds(headers['if-match'], etag))
      throw new ArtifactstoreError('precondition_failed', 'The bytes are not the ones that If-Match names.', { field: 'if-match' });
    if (headers['if-none-match'] !== undefined && ifNoneMatchHits(headers['if-none-match'], etag))
      return reply.code(304).header('etag', etag).header('cache-control', cacheControl).send();
    if (method === 'HEAD') {
      reply.hijack();
      reply.raw.writeHead(200, { ...fileHeaders(file, target), 'content-length': file.size_bytes, 'x-request-id': request.id });
      reply.raw.end();
      return reply;
    }
    const ifRange = headers['if-range'];
    if (range !== undefined && typeof ifRange === 'string' && !ifRangeHolds(ifRange, etag)) range = undefined;
    if (isEmptySuffix(range)) throw notSatisfiable(reply, file);
  }
  const options: OpenOptions = {
    signal: disconnectSignal(reply),
    reuseChunks: true,
    ...(range === undefined ? {} : { range: openRange(range) }),
  };
  const opened = await request.registry.files.open(target, options).catch(async (error: unknown) => {
    if (!isArtifactstoreError(error, 'range_not_satisfiable')) throw error;
    throw notSatisfiable(reply, await readable(request, target));
  });
  if (opened === undefined) throw missing(target);
  const { file } = opened;
  const length = opened.range === undefined ? file.size_bytes : opened.range.last - opened.range.first + 1;
  const answered = fileHeaders(file, target);
  if (opened.range !== undefined) answered['content-range'] = formatContentRange(opened.range, file.size_bytes);
  await sendBytes(context, request, reply, {
    status: opened.range === undefined ? 200 : 206,
    headers: answered,
    body: opened.body,
    length,
  });
  return reply;
}

/** Bytes at an address never change, but the right to them can end: caches ask each time. */
const cacheControl = 'private, no-cache';

function fileHeaders(file: File, target: FileTarget): Record<string, string | number> {
  const whole = 'content_address' in target;
  const name = whole ? target.content_address.slice(target.content_address.indexOf(':') + 1) : baseName(file.relative_path);
  return {
    'content-type': whole ? 'application/octet-stream' : file.media_type,
    etag: `"${file.content_address}"`,
    'repr-digest': formatDigestField({
      sha256: file.digest_sha256,
      ...(file.digest_algorithm === 'blake3' ? { blake3: file.digest_primary } : {}),
    }),
    'content-disposition': /^[A-Za-z0-9._-]+$/.test(name) ? `attachment; filename="${name}"` : contentDisposition(name),
    'accept-ranges': 'bytes',
    'cache-control': cacheControl,
    // Stored pages are files, never pages of this origin.
    'content-security-policy': 'sandbox',
    'x-content-type-options': 'nosniff',
  };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The file's record, for an answer without its bytes; the same errors as opening it would give. */
async function readable(request: FastifyRequest, target: FileTarget): Promise<File> {
  const { files, packages } = request.registry;
  let file: File | undefined;
  if ('file_id' in target) file = await files.get(target.file_id);
  else if ('content_address' in target) file = (await files.withDigest(target.content_address, { limit: 1 })).items[0];
  else file = await files.find(target.package_id, target.relative_path);
  if (file === undefined) throw missing(target);
  if (!('content_address' in target) && (await packages.get(file.package_id))?.status === 'garbage_collected')
    throw new ArtifactstoreError('package_collected', 'The package was collected: its bytes are gone.');
  return file;
}

function missing(target: FileTarget): ArtifactstoreError {
  return 'content_address' in target
    ? new ArtifactstoreError('object_not_found', 'No file that can be read here has these bytes.')
    : new ArtifactstoreError('file_not_found', 'There is no such file.');
}

function notSatisfiable(reply: FastifyReply, file: File): ArtifactstoreError {
  reply.header('content-range', `bytes */${file.size_bytes}`);
  return new ArtifactstoreError('range_not_satisfiable', `The file has ${file.size_bytes} bytes, none of them in the range.`, {
    field: 'range',
    info: { size_bytes: file.size_bytes },
  });
}

function openRange(range: RangeRequest): { readonly first: number; readonly last?: number } {
  if (range.kind === 'suffix') return { first: -range.length };
  return { first: range.first, ...(range.last === undefined ? {} : { last: range.last }) };
}

/** `bytes=-0` selects nothing of anything. */
function isEmptySuffix(range: RangeRequest | undefined): boolean {
  return range?.kind === 'suffix' && range.length === 0;
}

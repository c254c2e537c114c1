import { create as contentDisposition } from 'content-disposition';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { disconnectSignal, sendBytes } from '../../http/send.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { formatDigestField } from '../../protocol/digest-fields.ts';
import { formatContentRange, type RangeRequest } from '../../protocol/range.ts';
import type { File, FileTarget, OpenFile, OpenOptions } from '../../registry/REGISTRY.ts';
import { cacheControl, isEmptySuffix, isKnown, mayServeRange, notSatisfiable, statedRange } from './conditions.ts';
import type { RouteContext } from './route.ts';

/** The headers that it reads and gives. */
export const download = {
  takes: ['Range', 'If-Match', 'If-None-Match', 'If-Range'],
  gives: ['ETag', 'Repr-Digest', 'Accept-Ranges', 'Content-Disposition', 'Cache-Control'],
} as const;

/** What an answer says of the bytes where that depends on the address by which they were asked for. */
export interface Shown {
  /** To save it under; the last part of the path where absent. */
  readonly name?: string;
  /** By which digest they are named; the primary one where absent. */
  readonly etag?: string;
  readonly caching?: string;
}

/**
 * Answers GET and HEAD for the bytes of a file: conditions, a single range, and the headers that say what the bytes
 * are.
 */
export async function sendFile(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  target: FileTarget,
  shown: Shown = {},
): Promise<FastifyReply> {
  const { headers, method } = request.raw;
  const { caching = cacheControl } = shown;
  const conditional = headers['if-none-match'] !== undefined || headers['if-match'] !== undefined || headers['if-range'] !== undefined;
  let range = statedRange(request.raw);
  if (conditional || method === 'HEAD' || isEmptySuffix(range)) {
    const file = await statOf(request, target);
    const etag = etagOf(file, shown);
    if (isKnown(headers, etag)) return reply.code(304).header('etag', etag).header('cache-control', caching).send();
    if (method === 'HEAD') {
      reply.hijack();
      reply.raw.writeHead(200, { ...fileHeaders(file, target, shown), 'content-length': file.size_bytes, 'x-request-id': request.id });
      reply.raw.end();
      return reply;
    }
    if (!mayServeRange(headers, etag)) range = undefined;
    if (isEmptySuffix(range)) throw notSatisfiable(reply, 'file', file.size_bytes);
  }
  const options: OpenOptions = {
    signal: disconnectSignal(reply),
    reuseChunks: true,
    ...(range === undefined ? {} : { range: openRange(range) }),
  };
  let opened: OpenFile | undefined;
  try {
    opened = await request.registry.files.open(target, options);
  } catch (error) {
    if (!isArtifactstoreError(error, 'range_not_satisfiable')) throw error;
    throw notSatisfiable(reply, 'file', (await statOf(request, target)).size_bytes);
  }
  if (opened === undefined) throw missing(target);
  const { file } = opened;
  const length = opened.range === undefined ? file.size_bytes : opened.range.last - opened.range.first + 1;
  await sendBytes(context, request, reply, {
    status: opened.range === undefined ? 200 : 206,
    headers:
      opened.range === undefined
        ? fileHeaders(file, target, shown)
        : { ...fileHeaders(file, target, shown), 'content-range': formatContentRange(opened.range, file.size_bytes) },
    body: opened.body,
    ...(opened.bytes === undefined ? {} : { bytes: opened.bytes }),
    length,
  });
  return reply;
}

/** Made once for a record, which is the same as long as nobody commits. */
const known = new WeakMap<File, Readonly<Record<string, string>>>();

function fileHeaders(file: File, target: FileTarget, shown: Shown): Readonly<Record<string, string>> {
  if ('content_address' in target) return headersOf(file, target, shown);
  const made = known.get(file) ?? headersOf(file, target, shown);
  known.set(file, made);
  return made;
}

function headersOf(file: File, target: FileTarget, shown: Shown): Readonly<Record<string, string>> {
  const whole = 'content_address' in target;
  const name = whole ? (shown.name ?? target.content_address.slice(target.content_address.indexOf(':') + 1)) : baseName(file.relative_path);
  return {
    'content-type': whole ? 'application/octet-stream' : file.media_type,
    etag: etagOf(file, shown),
    'repr-digest': formatDigestField({
      sha256: file.digest_sha256,
      ...(file.digest_algorithm === 'blake3' ? { blake3: file.digest_primary } : {}),
    }),
    'content-disposition': /^[A-Za-z0-9._-]+$/.test(name) ? `attachment; filename="${name}"` : contentDisposition(name),
    'accept-ranges': 'bytes',
    'cache-control': shown.caching ?? cacheControl,
    // Stored pages are files, never pages of this origin.
    'content-security-policy': 'sandbox',
    'x-content-type-options': 'nosniff',
  };
}

function etagOf(file: File, { etag = `"${file.content_address}"` }: Shown): string {
  return etag;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The file, for an answer without its bytes; the same errors as opening it would give. */
async function statOf(request: FastifyRequest, target: FileTarget): Promise<File> {
  const file = await request.registry.files.stat(target);
  if (file === undefined) throw missing(target);
  return file;
}

function missing(target: FileTarget): ArtifactstoreError {
  return 'content_address' in target
    ? new ArtifactstoreError('object_not_found', 'No file that can be read here has these bytes.')
    : new ArtifactstoreError('file_not_found', 'There is no such file.');
}

function openRange(range: RangeRequest): { readonly first: number; readonly last?: number } {
  if (range.kind === 'suffix') return { first: -range.length };
  return { first: range.first, ...(range.last === undefined ? {} : { last: range.last }) };
}

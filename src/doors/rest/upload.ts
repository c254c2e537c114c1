import type { FastifyReply, FastifyRequest } from 'fastify';
import { essence, readBody, readOnce, refuseContentEncoding } from '../../http/body.ts';
import { disconnectSignal } from '../../http/send.ts';
import { fieldsOf, refuseLateDigests, statedDigests } from '../../http/stated-digests.ts';
import { pathFromUrl, type RelativePath } from '../../kernel/content/path.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { annotationsField, parseAnnotationsField } from '../../protocol/annotations-field.ts';
import { ifMatchHolds, ifNoneMatchHits } from '../../protocol/conditional.ts';
import type { Created, File, NewFile } from '../../registry/REGISTRY.ts';
import { readTarFiles } from './archive/tar-files.ts';
import { refuseBlockDigests } from './block-digests.ts';
import { readFiles } from './multipart.ts';
import { resumableFields, wholeLength } from './resumable/fields.ts';
import type { RouteContext } from './route.ts';

const tarType = 'application/x-tar';

/** The media types that many files at once come in. */
export const filesTypes: readonly string[] = ['multipart/form-data', tarType];

/**
 * PUT of one file: everything that its headers can be refused for comes before the first byte of the body is asked for.
 */
export async function receiveFile(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  packageId: string,
): Promise<Created<File>> {
  const { raw } = request;
  refuseBlockDigests(raw);
  const description = statedFile(request);
  const digests = statedDigests(fieldsOf(raw.headers));
  const size = wholeLength(raw, { ...resumableFields(raw), complete: true }, 0);
  const file: NewFile = {
    ...description,
    body: readOnce(readBody(request, context.limits)),
    signal: disconnectSignal(reply),
    ...(size === undefined ? {} : { size_bytes: size }),
    ...(digests.size === 0 ? {} : { digests }),
  };
  await requirePrecondition(request, packageId, file.relative_path);
  const added = await request.registry.files.add(packageId, file);
  refuseOther(request, added);
  return added;
}

/** What a PUT says of its file, beside its bytes. */
export function statedFile(request: FastifyRequest): Pick<NewFile, 'relative_path' | 'media_type' | 'annotations'> {
  const { headers } = request.raw;
  refuseContentEncoding(request.raw);
  if (headers['content-range'] !== undefined)
    throw new ArtifactstoreError('invalid_header', 'A file is put as a whole: Content-Range is not accepted here.', {
      field: 'content-range',
    });
  refuseLateDigests(headers.trailer);
  const mediaType = headers['content-type'];
  const annotations = statedAnnotations(request);
  return {
    relative_path: filePathOf(request),
    ...(mediaType === undefined ? {} : { media_type: mediaType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/** Where somebody else was faster, and the request allows only for a file of its own. */
export function refuseOther({ raw }: FastifyRequest, { created }: Created<File>): void {
  if (!created && raw.headers['if-none-match']?.trim() === '*') throw isThere();
}

/** If-Match and If-None-Match (RFC 9110 section 13.1) are about the file that is there now. */
export async function requirePrecondition({ raw, registry }: FastifyRequest, packageId: string, path: string): Promise<void> {
  const { 'if-match': wanted, 'if-none-match': unwanted } = raw.headers;
  if (wanted === undefined && unwanted === undefined) return;
  const there = await registry.files.find(packageId, path);
  const etag = there === undefined ? undefined : `"${there.content_address}"`;
  if (wanted !== undefined && (etag === undefined || !ifMatchHolds(wanted, etag)))
    throw new ArtifactstoreError('precondition_failed', 'The path does not hold the bytes that If-Match names.', { field: 'if-match' });
  if (unwanted !== undefined && etag !== undefined && ifNoneMatchHits(unwanted, etag)) throw isThere();
}

function isThere(): ArtifactstoreError {
  return new ArtifactstoreError('precondition_failed', 'The path holds a file already, which If-None-Match excludes.', {
    field: 'if-none-match',
  });
}

/**
 * POST of many files as multipart/form-data or as a tar archive: all or nothing. `existing` names those that were there
 * before, with the same bytes.
 */
export async function receiveFiles(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  packageId: string,
): Promise<{ readonly items: readonly File[]; readonly existing: readonly string[] }> {
  refuseContentEncoding(request.raw);
  const read = essence(request.raw.headers['content-type']) === tarType ? readTarFiles : readFiles;
  const results = await request.registry.files.addMany(packageId, read(request, context.limits, disconnectSignal(reply), request.memory));
  const existing = results.filter(({ created }) => !created);
  return { items: results.map(({ record }) => record), existing: existing.map(({ record }) => record.relative_path) };
}

/** The relative path of a URL `/packages/{id}/files/{relative_path}`, from the URL as it was sent. */
export function filePathOf(request: FastifyRequest): RelativePath {
  const [path = ''] = request.raw.url?.split('?', 1) ?? [];
  const segments = /^\/[^/]+\/[^/]+\/[^/]+\/(.*)$/s.exec(path);
  return pathFromUrl(segments?.[1] ?? '', 'relative_path');
}

function statedAnnotations(request: FastifyRequest): Readonly<Record<string, string>> | undefined {
  const value = request.raw.headers[annotationsField];
  if (value === undefined) return undefined;
  const annotations = parseAnnotationsField(String(value));
  if (annotations === undefined)
    throw new ArtifactstoreError('invalid_header', 'Artifactstore-Annotations is not a dictionary of strings (RFC 9651).', {
      field: annotationsField,
    });
  return annotations;
}

import type { FastifyReply, FastifyRequest } from 'fastify';
import { ArtifactstoreError } from '../kernel/error.ts';
import { pathFromUrl, type RelativePath } from '../kernel/path.ts';
import { annotationsField, parseAnnotationsField } from '../protocol/annotations-field.ts';
import { parseDigestField } from '../protocol/digest-fields.ts';
import type { Created, File, NewFile } from '../registry/REGISTRY.ts';
import { readBody, readOnce, refuseContentEncoding, statedLength } from './body.ts';
import { readFiles } from './multipart.ts';
import type { RouteContext } from './route.ts';
import { disconnectSignal } from './send.ts';

/** PUT of one file: everything that its headers can be refused for comes before the first byte of the body is asked for. */
export async function receiveFile(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  packageId: string,
): Promise<Created<File>> {
  const { raw } = request;
  refuseContentEncoding(raw);
  if (raw.headers['content-range'] !== undefined)
    throw new ArtifactstoreError('invalid_header', 'A file is put whole: Content-Range is not taken here.', { field: 'content-range' });
  const mediaType = raw.headers['content-type'];
  const digests = statedDigests(request);
  const annotations = statedAnnotations(request);
  const size = raw.headers['transfer-encoding'] === undefined ? (statedLength(raw) ?? 0) : undefined;
  const file: NewFile = {
    relative_path: filePathOf(request),
    body: readOnce(readBody(request, context.limits)),
    signal: disconnectSignal(reply),
    ...(mediaType === undefined ? {} : { media_type: mediaType }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(size === undefined ? {} : { size_bytes: size }),
    ...(digests.size === 0 ? {} : { digests }),
  };
  return request.registry.files.add(packageId, file);
}

/** POST of many files as multipart/form-data: all or nothing. `existing` names those that were there before, with the same bytes. */
export async function receiveFiles(
  context: RouteContext,
  request: FastifyRequest,
  reply: FastifyReply,
  packageId: string,
): Promise<{ readonly items: readonly File[]; readonly existing: readonly string[] }> {
  refuseContentEncoding(request.raw);
  const results = await request.registry.files.addMany(packageId, readFiles(request, context.limits, disconnectSignal(reply)));
  const existing = results.filter(({ created }) => !created);
  return { items: results.map(({ record }) => record), existing: existing.map(({ record }) => record.relative_path) };
}

/** The relative path of a URL `/packages/{id}/files/{relative_path}`, from the URL as it was sent. */
export function filePathOf(request: FastifyRequest): RelativePath {
  const [path = ''] = request.raw.url?.split('?', 1) ?? [];
  const segments = /^\/[^/]+\/[^/]+\/[^/]+\/(.*)$/s.exec(path);
  return pathFromUrl(segments?.[1] ?? '', 'relative_path');
}

function statedDigests(request: FastifyRequest): ReadonlyMap<string, Uint8Array> {
  const stated = new Map<string, Uint8Array>();
  for (const field of ['content-digest', 'repr-digest'] as const) {
    const value = request.raw.headers[field];
    if (value === undefined) continue;
    const digests = parseDigestField(String(value));
    if (digests === undefined)
      throw new ArtifactstoreError('invalid_header', `The field ${field} is not a dictionary of digests (RFC 9530).`, { field });
    for (const [algorithm, digest] of digests) {
      const other = stated.get(algorithm);
      if (other !== undefined && !Buffer.from(other).equals(digest))
        throw new ArtifactstoreError('digest_mismatch', `Content-Digest and Repr-Digest state two ${algorithm} digests.`, { field });
      stated.set(algorithm, digest);
    }
  }
  return stated;
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

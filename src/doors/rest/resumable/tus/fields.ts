import type { FastifyRequest } from 'fastify';
import { essence, hasBody, refuseContentEncoding, statedLength } from '../../../../http/body.ts';
import { ArtifactstoreError } from '../../../../kernel/error.ts';
import {
  checksumAlgorithms,
  offsetStreamType,
  parseUploadChecksum,
  parseUploadConcat,
  parseUploadMetadata,
  tusVersion,
  type UploadConcat,
} from '../../../../protocol/tus.ts';
import type { NewUpload } from '../../../../registry/REGISTRY.ts';

/** The header fields of tus requests; what is wrong with one is `invalid_header` where nothing else is said. */

export function refuseField(field: string, message: string): ArtifactstoreError {
  return new ArtifactstoreError('invalid_header', message, { field });
}

/** Errors: `precondition_failed` for another version than the server's. */
export function requireVersion(request: FastifyRequest): void {
  if (fieldOf(request, 'tus-resumable') === tusVersion) return;
  throw new ArtifactstoreError('precondition_failed', `This server speaks tus ${tusVersion}.`, { field: 'tus-resumable' });
}

/** A whole number, 0 or more. */
export function countField(request: FastifyRequest, name: 'upload-offset' | 'upload-length'): number | undefined {
  const value = fieldOf(request, name);
  if (value === undefined) return undefined;
  const count = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(count)) throw refuseField(name, `${name} must be a whole number, 0 or more.`);
  return count;
}

/** The length of the whole file; undefined where the client says that it follows. */
export function announcedLength(request: FastifyRequest): number | undefined {
  const length = countField(request, 'upload-length');
  const deferred = fieldOf(request, 'upload-defer-length');
  if (deferred !== undefined && deferred !== '1') throw refuseField('upload-defer-length', 'Upload-Defer-Length can only be 1.');
  if ((length === undefined) === (deferred === undefined))
    throw refuseField('upload-length', 'An upload is made with either Upload-Length or Upload-Defer-Length: 1.');
  return length;
}

/** What the client says of the file in `Upload-Metadata`. Other keys than these are only kept. */
export function describedFile(request: FastifyRequest): Pick<NewUpload, 'package_id' | 'relative_path' | 'media_type'> {
  const field = fieldOf(request, 'upload-metadata');
  if (field === undefined) return {};
  const read = parseUploadMetadata(field);
  if ('fault' in read) throw refuseField('upload-metadata', `Upload-Metadata is "key base64,key base64": ${read.fault}.`);
  const known = ['package_id', 'relative_path', 'media_type'].flatMap((key) => {
    const value = read.values.get(key);
    return value === undefined ? [] : [[key, textOf(key, value)] as const];
  });
  return Object.fromEntries(known);
}

function textOf(key: string, value: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    throw refuseField('upload-metadata', `The value of "${key}" in Upload-Metadata is not UTF-8.`);
  }
}

export function concatOf(request: FastifyRequest): UploadConcat | undefined {
  const field = fieldOf(request, 'upload-concat');
  if (field === undefined) return undefined;
  const concat = parseUploadConcat(field);
  if (concat === undefined) throw refuseField('upload-concat', 'Upload-Concat is "partial", or "final;" with the addresses of the parts.');
  return concat;
}

/**
 * The id in the address of an upload: its path with or without the prefix, or a whole address with such a path. The
 * host is not compared, since a proxy may have another name than the one that it asks for.
 */
export function uploadIdOf(address: string, prefix: string): string {
  const path = /^https?:\/\/[^/?#]+(\/.*)$/i.exec(address)?.[1] ?? address;
  const own = path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
  const id = /^\/uploads\/([^/?#]+)$/.exec(own)?.[1];
  if (id === undefined)
    throw refuseField(
      'upload-concat',
      `"${address.slice(0, 200)}" is not the address of an upload here: name parts as Location did, such as ${prefix}/uploads/ID.`,
    );
  return id;
}

/** The digest of this body alone. */
export function checksumOf(request: FastifyRequest): ReadonlyMap<string, Uint8Array> | undefined {
  const field = fieldOf(request, 'upload-checksum');
  if (field === undefined) return undefined;
  const checksum = parseUploadChecksum(field);
  if (checksum === undefined) throw refuseField('upload-checksum', 'Upload-Checksum is an algorithm and a digest in base64.');
  const length = checksumAlgorithms[checksum.algorithm];
  if (length === undefined)
    throw refuseField('upload-checksum', `Upload-Checksum can be ${Object.keys(checksumAlgorithms).join(', ')} here.`);
  if (checksum.digest.byteLength !== length)
    throw refuseField('upload-checksum', `A digest by ${checksum.algorithm} has ${length} bytes, not ${checksum.digest.byteLength}.`);
  return new Map([[checksum.algorithm, checksum.digest]]);
}

/** The length of a body of bytes; undefined while it is not known. Errors: `unsupported_media_type`. */
export function requireBytes({ raw }: FastifyRequest): number | undefined {
  refuseContentEncoding(raw);
  if (essence(raw.headers['content-type']) !== offsetStreamType)
    throw new ArtifactstoreError('unsupported_media_type', `Bytes are added to an upload as ${offsetStreamType}.`, {
      field: 'content-type',
    });
  return raw.headers['transfer-encoding'] === undefined ? (statedLength(raw) ?? 0) : undefined;
}

export function bringsBytes({ raw }: FastifyRequest): boolean {
  return hasBody(raw) || essence(raw.headers['content-type']) === offsetStreamType;
}

export function fieldOf({ raw }: FastifyRequest, name: string): string | undefined {
  const value = raw.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

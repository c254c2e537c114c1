import type { Answer, Exchange } from './exchange.ts';
import { before, display, maximumOf } from './list.ts';
import { findUpload } from './multipart.ts';
import { refuse } from './refusal.ts';
import type { Bucket } from './state.ts';
import { document } from './xml.ts';

/** ListMultipartUploads: by key, then by the time of their start. */
export function listUploads(bucket: Bucket, { query }: Exchange): Answer {
  if (query.has('delimiter')) throw refuse('NotImplemented', { Header: 'delimiter' });
  const show = display(query);
  const prefix = query.get('prefix') ?? '';
  const maximum = maximumOf(query, 'max-uploads');
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker');
  const all = [...bucket.uploads.values()]
    .filter((upload) => upload.key.startsWith(prefix))
    .sort((a, b) => (a.key === b.key ? a.startedAt - b.startedAt : before(a.key, b.key) ? -1 : 1));
  const at = idMarker === undefined ? -1 : all.findIndex((upload) => upload.key === keyMarker && upload.uploadId === idMarker);
  const rest = at === -1 ? all.filter((upload) => keyMarker === '' || before(keyMarker, upload.key)) : all.slice(at + 1);
  const page = rest.slice(0, maximum);
  const last = rest.length > page.length ? page.at(-1) : undefined;
  const body = {
    Bucket: bucket.name,
    KeyMarker: show(keyMarker),
    UploadIdMarker: idMarker ?? '',
    NextKeyMarker: last === undefined ? undefined : show(last.key),
    NextUploadIdMarker: last?.uploadId,
    Prefix: show(prefix),
    EncodingType: query.get('encoding-type'),
    MaxUploads: maximum,
    IsTruncated: last !== undefined,
    Upload: page.map((upload) => ({
      Key: show(upload.key),
      UploadId: upload.uploadId,
      StorageClass: upload.attributes.storageClass,
      Initiated: new Date(upload.startedAt).toISOString(),
    })),
  };
  return { status: 200, body: document('ListMultipartUploadsResult', body) };
}

/** ListParts. */
export function listParts(bucket: Bucket, exchange: Exchange): Answer {
  const { query } = exchange;
  const upload = findUpload(bucket, exchange);
  const maximum = maximumOf(query, 'max-parts');
  const marker = Number(query.get('part-number-marker') ?? 0);
  const rest = [...upload.parts.values()].sort((a, b) => a.number - b.number).filter((part) => part.number > marker);
  const page = rest.slice(0, maximum);
  const truncated = rest.length > page.length;
  const body = {
    Bucket: bucket.name,
    Key: upload.key,
    UploadId: upload.uploadId,
    StorageClass: upload.attributes.storageClass,
    PartNumberMarker: marker,
    NextPartNumberMarker: truncated ? page.at(-1)?.number : undefined,
    MaxParts: maximum,
    IsTruncated: truncated,
    ChecksumAlgorithm: upload.checksum?.algorithm.toUpperCase(),
    ChecksumType: upload.checksum?.type,
    Part: page.map((part) => ({
      PartNumber: part.number,
      LastModified: new Date(part.modifiedAt).toISOString(),
      ETag: `"${part.etag}"`,
      Size: part.body.length,
      ...(upload.checksum === undefined ? {} : { [`Checksum${upload.checksum.algorithm.toUpperCase()}`]: part.checksum }),
    })),
  };
  return { status: 200, body: document('ListPartsResult', body) };
}

import { createHash, randomBytes } from 'node:crypto';
import { attributesOf } from './attributes.ts';
import { checksumNames, checksumOf, checksumOfParts } from './checksums.ts';
import { checkWrite, rangeOf } from './conditions.ts';
import type { Answer, Exchange } from './exchange.ts';
import { copySource } from './objects.ts';
import { versionHeader } from './reading.ts';
import { refuse } from './refusal.ts';
import { addVersion, type Bucket, md5, type Part, type State, shown, type Upload } from './state.ts';
import { document, type Parsed, parse } from './xml.ts';

export function createUpload(state: State, bucket: Bucket, { headers, key = '' }: Exchange): Answer {
  const attributes = attributesOf(headers, bucket, state.clock(), state.lies);
  const algorithm = headers['x-amz-checksum-algorithm']?.toLowerCase();
  if (algorithm !== undefined && state.lies.notImplementedOnChecksums === true)
    throw refuse('NotImplemented', { Header: 'x-amz-checksum-algorithm' });
  if (algorithm !== undefined && !checksumNames.includes(algorithm))
    throw refuse('InvalidRequest', { Message: 'Checksum algorithm provided is unsupported.' });
  const type = headers['x-amz-checksum-type'] ?? (algorithm === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE');
  if ((type !== 'FULL_OBJECT' && type !== 'COMPOSITE') || (type === 'FULL_OBJECT' && algorithm?.startsWith('sha') === true)) {
    throw refuse('InvalidRequest', { Message: `The ${type} checksum type cannot be used with this algorithm.` });
  }
  const uploadId = randomBytes(24).toString('base64url');
  const checksum = algorithm === undefined ? undefined : ({ algorithm, type } as const);
  bucket.uploads.set(uploadId, { uploadId, key, startedAt: state.clock(), attributes, checksum, parts: new Map() });
  const shownChecksum =
    checksum === undefined ? {} : { 'x-amz-checksum-algorithm': checksum.algorithm.toUpperCase(), 'x-amz-checksum-type': type };
  return {
    status: 200,
    headers: shownChecksum,
    body: document('InitiateMultipartUploadResult', { Bucket: bucket.name, Key: key, UploadId: uploadId }),
  };
}

export async function uploadPart(state: State, bucket: Bucket, exchange: Exchange): Promise<Answer> {
  const upload = findUpload(bucket, exchange);
  const number = partNumber(exchange);
  const { body, checksum } = await exchange.receive();
  if (checksum !== undefined && upload.checksum !== undefined && checksum.algorithm !== upload.checksum.algorithm) {
    throw refuse('InvalidRequest', {
      Message: `Checksum Type mismatch occurred, expected checksum Type: ${upload.checksum.algorithm}, actual checksum Type: ${checksum.algorithm}`,
    });
  }
  const part = await addPart(state, bucket, upload, number, body);
  const shownChecksum = checksum === undefined ? {} : { [`x-amz-checksum-${checksum.algorithm}`]: checksum.value };
  return { status: 200, headers: { etag: `"${part.etag}"`, ...shownChecksum } };
}

export async function uploadPartCopy(state: State, bucket: Bucket, exchange: Exchange): Promise<Answer> {
  const upload = findUpload(bucket, exchange);
  const number = partNumber(exchange);
  const source = copySource(state, exchange);
  const asked = exchange.headers['x-amz-copy-source-range'];
  const range = rangeOf(asked, source.body.length);
  const [, last] = /^bytes=\d+-(\d+)$/.exec(asked ?? '') ?? [];
  if (asked !== undefined && (range === undefined || last === undefined || Number(last) >= source.body.length)) {
    throw refuse('InvalidArgument', { Message: `Range specified is not valid for source object of size: ${source.body.length}` });
  }
  const body = range === undefined ? source.body : source.body.subarray(range.start, range.end + 1);
  const part = await addPart(state, bucket, upload, number, body);
  return {
    status: 200,
    body: document('CopyPartResult', { ETag: `"${part.etag}"`, LastModified: new Date(part.modifiedAt).toISOString() }),
  };
}

export async function completeUpload(state: State, bucket: Bucket, exchange: Exchange): Promise<Answer> {
  const { lies } = state;
  const key = exchange.key ?? '';
  const uploadId = exchange.query.get('uploadId') ?? '';
  const { body: xml } = await exchange.receive();
  const request = parse(xml, 'CompleteMultipartUpload');
  const repeated = bucket.completed.get(uploadId);
  if (repeated !== undefined && repeated.key === key && repeated.request === md5(xml)) return { status: 200, body: repeated.answer };
  const upload = findUpload(bucket, exchange);
  const parts = chosenParts(state, upload, request.all('Part'));
  if (lies.completeAnswers200WithError === true) {
    return {
      status: 200,
      body: document('Error', { Code: 'InternalError', Message: 'We encountered an internal error. Please try again.' }, ''),
    };
  }
  const arrived = [...upload.parts.values()].filter((part) => parts.includes(part));
  const body = Buffer.concat((lies.mixedUpPartOrder === true ? arrived : parts).map((part) => part.body));
  const checksum =
    upload.checksum === undefined ? undefined : await checksumOfParts(upload.checksum.algorithm, upload.checksum.type, parts, body);
  const declared = checksum === undefined ? undefined : exchange.headers[`x-amz-checksum-${checksum.algorithm}`];
  if (declared !== undefined && declared !== checksum?.value && lies.ignoredChecksums !== true) throw refuse('BadDigest');
  // From here on nothing waits: the look, the write and the end of the upload are one step.
  if (bucket.uploads.get(uploadId) !== upload) throw refuse('NoSuchUpload');
  if (lies.ignoredConditionOnComplete !== true) checkWrite(exchange.headers, shown(bucket, key));
  const digests = createHash('md5');
  for (const part of parts) digests.update(Buffer.from(part.etag, 'hex'));
  const etag = `${digests.digest('hex')}-${parts.length}`;
  const partSizes = parts.map((part) => part.body.length);
  const added = addVersion(state, bucket, { ...upload.attributes, key, body, etag, deleteMarker: false, checksum, partSizes });
  bucket.uploads.delete(uploadId);
  if (lies.ambiguousComplete === true) throw refuse('InternalError');
  const answer = document('CompleteMultipartUploadResult', {
    Location: `/${bucket.name}/${key}`,
    Bucket: bucket.name,
    Key: key,
    ETag: `"${etag}"`,
    ...(checksum === undefined ? {} : { [`Checksum${checksum.algorithm.toUpperCase()}`]: checksum.value, ChecksumType: checksum.type }),
  });
  bucket.completed.set(uploadId, { key, request: md5(xml), answer });
  return { status: 200, headers: versionHeader(bucket, added), body: answer };
}

export function abortUpload(state: State, bucket: Bucket, exchange: Exchange): Answer {
  const upload = findUpload(bucket, exchange);
  if (state.lies.abortKeepsParts !== true) bucket.uploads.delete(upload.uploadId);
  return { status: 204 };
}

export function findUpload(bucket: Bucket, { key, query }: Exchange): Upload {
  const found = bucket.uploads.get(query.get('uploadId') ?? '');
  if (found === undefined || found.key !== key) throw refuse('NoSuchUpload', { UploadId: query.get('uploadId') ?? '' });
  return found;
}

async function addPart(state: State, bucket: Bucket, upload: Upload, number: number, body: Buffer): Promise<Part> {
  const checksum = upload.checksum === undefined ? undefined : await checksumOf(upload.checksum.algorithm, body);
  // It may have been completed or aborted while its bytes came.
  if (bucket.uploads.get(upload.uploadId) !== upload) throw refuse('NoSuchUpload', { UploadId: upload.uploadId });
  const part = { number, body, etag: md5(body), modifiedAt: state.clock(), checksum };
  upload.parts.delete(number);
  upload.parts.set(number, part);
  return part;
}

function partNumber({ query }: Exchange): number {
  const text = query.get('partNumber') ?? '';
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 10_000) {
    throw refuse('InvalidArgument', {
      Message: 'Part number must be an integer between 1 and 10000, inclusive',
      ArgumentName: 'partNumber',
    });
  }
  return Number(text);
}

/** The parts that a complete request names, in its order, which must be theirs. */
function chosenParts(state: State, upload: Upload, named: readonly Parsed[]): readonly Part[] {
  if (named.length === 0) throw refuse('MalformedXML');
  let previous = 0;
  const parts = named.map((each) => {
    const number = Number(each.text('PartNumber'));
    if (!Number.isInteger(number)) throw refuse('MalformedXML');
    if (number <= previous) throw refuse('InvalidPartOrder', { UploadId: upload.uploadId });
    previous = number;
    return { number, etag: each.text('ETag')?.replaceAll('"', ''), checksum: checksumIn(each, upload) };
  });
  return parts.map(({ number, etag, checksum }, index) => {
    const part = upload.parts.get(number);
    const wrongChecksum = checksum !== undefined && checksum !== part?.checksum;
    if (part === undefined || part.etag !== etag || wrongChecksum)
      throw refuse('InvalidPart', { UploadId: upload.uploadId, PartNumber: String(number), ETag: etag ?? '' });
    if (index < parts.length - 1 && part.body.length < state.minimumPartBytes) {
      const sizes = { ProposedSize: String(part.body.length), MinSizeAllowed: String(state.minimumPartBytes) };
      throw refuse('EntityTooSmall', { ...sizes, PartNumber: String(number), ETag: part.etag });
    }
    return part;
  });
}

function checksumIn(part: Parsed, { checksum }: Upload): string | undefined {
  return checksum === undefined ? undefined : part.text(`Checksum${checksum.algorithm.toUpperCase()}`);
}

import { idempotencyKeyPattern } from '../../../kernel/format/text-rules.ts';
import { bounds } from '../bounds.ts';

/**
 * The headers that routes read of a request and give with an answer, as the OpenAPI describes them. Each is checked
 * where it is read.
 */

export type RequestHeader =
  | 'Idempotency-Key'
  | 'Content-Digest'
  | 'Content-Range'
  | 'Repr-Digest'
  | 'Artifactstore-Annotations'
  | 'Artifactstore-Block-Digests'
  | 'If-Match'
  | 'If-None-Match'
  | 'If-Range'
  | 'Prefer'
  | 'Range'
  | 'Last-Event-ID'
  | 'Upload-Complete'
  | 'Upload-Offset'
  | 'Upload-Length'
  | 'Upload-Draft-Interop-Version';

const countPattern = '^[0-9]{1,15}$';

export const requestHeaders: Readonly<Record<RequestHeader, object>> = {
  'Idempotency-Key': {
    type: 'string',
    minLength: 1,
    maxLength: bounds.idempotency_key_characters.value,
    pattern: idempotencyKeyPattern,
    description: 'Unique for each producer. The same key with the same body gives the same record again.',
    examples: ['build-7'],
  },
  'Content-Digest': {
    type: 'string',
    description: 'Digests that the body must have (RFC 9530): sha-256, sha-512, blake3. Others are ignored.',
    examples: ['sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:'],
  },
  'Content-Range': {
    type: 'string',
    pattern: '^bytes [0-9]{1,15}-[0-9]{1,15}/(?:[0-9]{1,15}|\\*)$',
    description: 'Which bytes of the whole the body is (RFC 9110).',
    examples: ['bytes 0-4/5'],
  },
  'Repr-Digest': {
    type: 'string',
    description: 'As Content-Digest.',
    examples: ['sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:'],
  },
  'Artifactstore-Annotations': {
    type: 'string',
    description: 'A dictionary of strings (RFC 9651), kept with the file.',
    examples: ['mode="executable"'],
  },
  'Artifactstore-Block-Digests': {
    type: 'string',
    description:
      'BLAKE3 digests of the pieces of an upload, cut where a MiB of the file ends: 32 bytes each, one after the other, ' +
      'as a byte sequence (RFC 9651). A bad piece is refused as soon as it has come.',
    examples: [':rxNJufX5oaagQE3qNtzJSZvLJcmtwRK3zJqTyuQfMmI=:'],
  },
  'If-Match': { type: 'string', description: 'Only where these bytes are there: entity tags, or `*`. Otherwise 412.' },
  'If-None-Match': { type: 'string', description: 'Entity tags that the caller has, or `*`. A read is 304 for them, a write 412.' },
  'If-Range': { type: 'string', description: 'An entity tag. The range is served for it only; otherwise the whole.' },
  Prefer: {
    type: 'string',
    description: 'With `return=minimal` (RFC 7240) the answer has no records. Other preferences are ignored.',
    examples: ['return=minimal'],
  },
  Range: {
    type: 'string',
    description: 'One range of bytes. Others, and those that are malformed, are ignored.',
    examples: ['bytes=0-99'],
  },
  'Last-Event-ID': { type: 'string', description: 'Of a stream: the sequence to resume after. It overrides `since`.', examples: ['7'] },
  'Upload-Complete': {
    type: 'string',
    pattern: '^\\?[01]$',
    description: 'Of a resumable upload: whether the body ends the file (`?1`), or more will follow (`?0`).',
    examples: ['?1'],
  },
  'Upload-Offset': { type: 'string', pattern: countPattern, description: 'Where in the file the body begins.', examples: ['0'] },
  'Upload-Length': { type: 'string', pattern: countPattern, description: 'The length of the whole file, in bytes.', examples: ['5'] },
  'Upload-Draft-Interop-Version': {
    type: 'string',
    description: 'With `8` the address of the upload is told before the body is read, in a 104 (Upload Resumption Supported).',
    examples: ['8'],
  },
};

export type AnswerHeader =
  | 'Location'
  | 'Upload-Offset'
  | 'Upload-Complete'
  | 'Upload-Limit'
  | 'Accept-Patch'
  | 'ETag'
  | 'Repr-Digest'
  | 'Accept-Ranges'
  | 'Content-Disposition'
  | 'Cache-Control';

interface AnswerHeaderDescription {
  readonly description: string;
  readonly required: boolean;
  readonly schema: { readonly type: string; readonly pattern?: string; readonly minimum?: number };
}

/** Under the statuses that have them, whatever the route. */
const everywhere: Readonly<Record<string, AnswerHeaderDescription>> = {
  'X-Request-Id': {
    required: true,
    description: 'Finds the request in the log: that of the request, or one that was made.',
    schema: { type: 'string', pattern: '^[A-Za-z0-9._:-]{1,128}$' },
  },
  'WWW-Authenticate': {
    required: true,
    description: 'How to say who asks, and why a token that was sent is not enough (RFC 6750).',
    schema: { type: 'string' },
  },
  'Retry-After': { required: true, description: 'Seconds to wait before asking again.', schema: { type: 'integer', minimum: 0 } },
  'Content-Range': {
    required: true,
    description: 'Which bytes these are, or `bytes */<size>` where there are none.',
    schema: { type: 'string', pattern: '^bytes ' },
  },
};

/** Of success, where the route says so. */
const byRoute: Readonly<Record<AnswerHeader, AnswerHeaderDescription>> = {
  Location: { required: true, description: 'Where the record is.', schema: { type: 'string', pattern: '^/' } },
  'Upload-Offset': { required: true, description: 'How many bytes are there.', schema: { type: 'integer', minimum: 0 } },
  'Upload-Complete': {
    required: true,
    description: '`?1` when the upload has become a file.',
    schema: { type: 'string', pattern: '^\\?[01]$' },
  },
  'Upload-Limit': {
    required: true,
    description: 'A dictionary (RFC 9651): max-size in bytes, and max-age in seconds.',
    schema: { type: 'string' },
  },
  'Accept-Patch': { required: true, description: 'The media type of bytes that are added.', schema: { type: 'string' } },
  ETag: { required: true, description: 'The digest of the bytes.', schema: { type: 'string', pattern: '^(?:W/)?".*"$' } },
  'Repr-Digest': { required: true, description: 'Digests of the whole (RFC 9530).', schema: { type: 'string' } },
  'Accept-Ranges': { required: true, description: 'Ranges can be asked for.', schema: { type: 'string', pattern: '^bytes$' } },
  'Content-Disposition': { required: true, description: 'The name to save it under.', schema: { type: 'string' } },
  'Cache-Control': {
    required: true,
    description: 'Whether caches may keep it, and whether they ask each time.',
    schema: { type: 'string' },
  },
};

export const answerHeaders: Readonly<Record<string, AnswerHeaderDescription>> = { ...everywhere, ...byRoute };

/** What a 304 repeats (RFC 9110 section 15.4.5). */
const ofNotModified: ReadonlySet<string> = new Set(['ETag', 'Cache-Control']);

/** The names of the headers that an answer of this status has. */
export function headersOf(status: number, given: readonly AnswerHeader[]): readonly string[] {
  return [
    'X-Request-Id',
    ...(status === 401 ? ['WWW-Authenticate'] : []),
    ...(status === 503 ? ['Retry-After'] : []),
    ...(status === 206 || status === 416 ? ['Content-Range'] : []),
    ...(status < 300 ? given : status === 304 ? given.filter((name) => ofNotModified.has(name)) : []),
  ];
}

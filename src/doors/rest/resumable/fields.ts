import type { IncomingMessage } from 'node:http';
import { statedLength } from '../../../http/body.ts';
import { ArtifactstoreError } from '../../../kernel/error.ts';
import { interopVersion, parseBooleanField, parseCountField } from '../../../protocol/resumable-upload.ts';

/** What a request says of an upload that it begins or continues. */
export interface ResumableFields {
  /** Whether its body ends the file; undefined where the request is no part of such an upload. */
  readonly complete: boolean | undefined;
  /** Where its body begins. */
  readonly offset: number | undefined;
  /** The length of the whole file. */
  readonly length: number | undefined;
  /** Whether the client understands 104 as it is sent here. */
  readonly understands104: boolean;
}

/**
 * A field that is malformed is refused, and not ignored as the draft has it: what was meant as a part would be taken
 * for the whole. RFC 9651 section 4.2 leaves the choice.
 */
export function resumableFields({ headers, httpVersionMinor }: IncomingMessage): ResumableFields {
  if (headers['upload-incomplete'] !== undefined)
    throw new ArtifactstoreError(
      'invalid_header',
      'Upload-Incomplete is of an old draft of resumable uploads: say Upload-Complete instead.',
      { field: 'upload-incomplete' },
    );
  return {
    complete: read(headers, 'upload-complete', parseBooleanField, '?1 or ?0'),
    offset: read(headers, 'upload-offset', parseCountField, 'a whole number, 0 or more'),
    length: read(headers, 'upload-length', parseCountField, 'a whole number, 0 or more'),
    understands104: httpVersionMinor > 0 && parseCountField(String(headers['upload-draft-interop-version'] ?? '')) === interopVersion,
  };
}

/**
 * The length of the whole file as far as the request says it. Errors: `upload_length_mismatch` where it says two.
 */
export function wholeLength(request: IncomingMessage, { complete, length }: ResumableFields, offset: number): number | undefined {
  const body = bodyLength(request);
  if (complete !== true || body === undefined) return length;
  if (length !== undefined && length !== offset + body)
    throw new ArtifactstoreError(
      'upload_length_mismatch',
      `Upload-Length says ${length}, but the last ${body} bytes from ${offset} on end at ${offset + body}.`,
      { field: 'upload-length', info: { size_bytes: length, offset_bytes: offset } },
    );
  return offset + body;
}

/** Undefined for a chunked body. */
export function bodyLength(request: IncomingMessage): number | undefined {
  return request.headers['transfer-encoding'] === undefined ? (statedLength(request) ?? 0) : undefined;
}

function read<T>(headers: IncomingMessage['headers'], field: string, parse: (value: string) => T | undefined, what: string): T | undefined {
  const value = headers[field];
  if (value === undefined) return undefined;
  const parsed = parse(String(value));
  if (parsed === undefined) throw new ArtifactstoreError('invalid_header', `The field ${field} is not ${what}.`, { field });
  return parsed;
}

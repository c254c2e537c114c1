import type { ErrorCode } from '../../../kernel/error.ts';
import { formatBooleanField } from '../../../protocol/resumable-upload.ts';

/**
 * What the draft of resumable uploads (section 7) adds to problems: their types, members and fields. Facts come from
 * the error's `info`.
 */

type Info = Readonly<Record<string, unknown>>;

const registry = 'https://iana.org/assignments/http-problem-types#';

const types: ReadonlyMap<ErrorCode, string> = new Map([
  ['upload_offset_mismatch', `${registry}mismatching-upload-offset`],
  ['upload_length_mismatch', `${registry}inconsistent-upload-length`],
  ['upload_finished', `${registry}completed-upload`],
]);

export interface UploadProblem {
  readonly type?: string;
  readonly 'expected-offset'?: number;
  readonly 'provided-offset'?: number;
}

/** The members of a problem with this code. */
export function uploadProblem(code: ErrorCode, info: Info = {}): UploadProblem {
  const type = types.get(code);
  if (type === undefined) return {};
  const { offset_bytes: expected, provided_offset_bytes: provided } = info;
  if (code !== 'upload_offset_mismatch' || typeof expected !== 'number' || typeof provided !== 'number') return { type };
  return { type, 'expected-offset': expected, 'provided-offset': provided };
}

/** The fields of an answer with such a problem. `upload_complete`: whether all bytes of the upload had come. */
export function uploadFieldsOf(code: ErrorCode, { offset_bytes, upload_complete }: Info = {}): Record<string, string> {
  return {
    ...(code === 'upload_offset_mismatch' && typeof offset_bytes === 'number' ? { 'upload-offset': String(offset_bytes) } : {}),
    ...(typeof upload_complete === 'boolean' ? { 'upload-complete': formatBooleanField(upload_complete) } : {}),
  };
}

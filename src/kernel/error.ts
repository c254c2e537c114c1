/**
 * The one error class, with its closed list of codes. Act on `code`, never on the message. The HTTP door maps each code
 * to a status (`doors/rest/problem.ts`), the command line to an exit code (`cli/exit.ts`); a new code makes both tables
 * fail to compile.
 */
export const errorCodes = [
  // the request is malformed (400)
  'malformed_request',
  'malformed_json',
  'malformed_multipart',
  'malformed_archive',
  'invalid_path',
  'invalid_address',
  'invalid_id',
  'invalid_cursor',
  'invalid_header',
  'idempotency_key_missing',
  'unknown_parameter',
  'length_mismatch',
  'digest_mismatch',
  'block_digest_mismatch',
  'object_too_long',
  'upload_length_mismatch',
  // who asks (401, 403)
  'unauthorized',
  'forbidden',
  'quota_exceeded',
  'too_many_uploads',
  'too_many_write_sessions',
  // nothing there (404, 405, 410)
  'route_not_found',
  'package_not_found',
  'file_not_found',
  'object_not_found',
  'metadata_schema_not_found',
  'hold_not_found',
  'upload_not_found',
  'write_session_not_found',
  'write_session_object_not_found',
  'generation_not_found',
  'authority_missing',
  'method_not_allowed',
  'package_collected',
  'write_session_expired',
  'write_session_aborted',
  // the state forbids it (409, 423)
  'package_not_open',
  'package_not_finalized',
  'package_empty',
  'package_held',
  'path_conflict',
  'idempotency_conflict',
  'metadata_schema_conflict',
  'target_in_use',
  'upload_offset_mismatch',
  'upload_incomplete',
  'upload_finished',
  'upload_superseded',
  'secret_conflict',
  'upload_locked',
  'write_session_incomplete',
  'write_session_closed',
  'write_session_committing',
  'write_session_object_received',
  'upload_of_write_session',
  'rotation_conflict',
  'generation_in_use',
  // sizes and forms (406, 408, 411, 412, 413, 415, 416, 417, 431)
  'not_acceptable',
  'request_timeout',
  'length_required',
  'precondition_failed',
  'body_too_large',
  'unsupported_media_type',
  'range_not_satisfiable',
  'expectation_failed',
  'headers_too_large',
  // well formed, but says something illegal (422)
  'invalid_value',
  'unknown_retention_class',
  'unknown_metadata_schema',
  'invalid_metadata_schema',
  'metadata_schema_too_costly',
  'metadata_mismatch',
  'too_many_files',
  'duplicate_name',
  'write_session_too_large',
  'write_session_empty',
  'invalid_digest',
  'invalid_size',
  'invalid_ttl',
  // the store itself, and the machine it is asked from (500, 502, 503, 507)
  'integrity_failure',
  'too_busy',
  'database_unavailable',
  'database_not_migrated',
  'storage_unavailable',
  'identity_unavailable',
  'secrets_unavailable',
  'secrets_forbidden',
  'secret_unusable',
  'provider_unavailable',
  'provider_forbidden',
  'provider_refused',
  'authority_unusable',
  'credential_too_wide',
  'credential_unproven',
  'revocation_failed',
  'server_unreachable',
  'unexpected_answer',
  'storage_full',
  'clock_in_doubt',
  'invalid_configuration',
  'local_file_failed',
  'cancelled',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorDetail {
  /** The offending input: a JSON pointer, a header, a parameter or a relative path. */
  readonly field?: string;
  /** More facts for the client, JSON values only; never a secret. */
  readonly info?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class ArtifactstoreError extends Error {
  override readonly name = 'ArtifactstoreError';
  readonly code: ErrorCode;
  readonly field: string | undefined;
  readonly info: Readonly<Record<string, unknown>> | undefined;

  /** `message` is one sentence for a person: what was wrong, where, and what to do. */
  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.field = detail.field;
    this.info = detail.info;
  }
}

export function isArtifactstoreError(error: unknown, code?: ErrorCode): error is ArtifactstoreError {
  return error instanceof ArtifactstoreError && (code === undefined || error.code === code);
}

/** The same error, with more facts. */
export function withInfo(error: ArtifactstoreError, info: Readonly<Record<string, unknown>>): ArtifactstoreError {
  const { code, message, field, cause } = error;
  return new ArtifactstoreError(code, message, { ...(field === undefined ? {} : { field }), info: { ...error.info, ...info }, cause });
}

/** The same error about a field that its reader knows. */
export function withField(error: ArtifactstoreError, field: string): ArtifactstoreError {
  const { code, message, info, cause } = error;
  return new ArtifactstoreError(code, message, { field, ...(info === undefined ? {} : { info }), cause });
}

/** The plain-object form that crosses a thread or a socket, and back. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly field?: string;
  readonly info?: Readonly<Record<string, unknown>>;
}

export function toErrorRecord(error: ArtifactstoreError): ErrorRecord {
  return {
    code: error.code,
    message: error.message,
    ...(error.field === undefined ? {} : { field: error.field }),
    ...(error.info === undefined ? {} : { info: error.info }),
  };
}

export function fromErrorRecord(record: ErrorRecord): ArtifactstoreError {
  return new ArtifactstoreError(record.code, record.message, {
    ...(record.field === undefined ? {} : { field: record.field }),
    ...(record.info === undefined ? {} : { info: record.info }),
  });
}

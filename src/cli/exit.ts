import { type ErrorCode, isArtifactstoreError } from '../kernel/error.ts';

/** The exit codes are a promise to scripts (docs/cli.md). */
export const exitCode = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  integrityFailure: 5,
  unreachable: 6,
  /** Stopped by Ctrl-C or SIGTERM: 128 and the number of SIGINT, as shells count it. */
  stopped: 130,
} as const;

/** The one table from an error's code to the exit code. */
export const exitCodes: { readonly [C in ErrorCode]: number } = {
  malformed_request: exitCode.failed,
  malformed_json: exitCode.failed,
  malformed_multipart: exitCode.failed,
  invalid_path: exitCode.usage,
  invalid_address: exitCode.usage,
  invalid_id: exitCode.usage,
  invalid_cursor: exitCode.usage,
  invalid_header: exitCode.failed,
  unknown_parameter: exitCode.failed,
  length_mismatch: exitCode.integrityFailure,
  digest_mismatch: exitCode.integrityFailure,
  unauthorized: exitCode.failed,
  forbidden: exitCode.failed,
  route_not_found: exitCode.failed,
  package_not_found: exitCode.notFound,
  file_not_found: exitCode.notFound,
  object_not_found: exitCode.notFound,
  metadata_schema_not_found: exitCode.notFound,
  upload_not_found: exitCode.notFound,
  hold_not_found: exitCode.notFound,
  method_not_allowed: exitCode.failed,
  package_collected: exitCode.notFound,
  package_not_open: exitCode.conflict,
  package_not_finalized: exitCode.conflict,
  package_empty: exitCode.conflict,
  path_conflict: exitCode.conflict,
  idempotency_conflict: exitCode.conflict,
  metadata_schema_conflict: exitCode.conflict,
  upload_conflict: exitCode.conflict,
  not_acceptable: exitCode.failed,
  request_timeout: exitCode.unreachable,
  length_required: exitCode.failed,
  precondition_failed: exitCode.conflict,
  body_too_large: exitCode.failed,
  unsupported_media_type: exitCode.failed,
  range_not_satisfiable: exitCode.failed,
  headers_too_large: exitCode.failed,
  invalid_value: exitCode.usage,
  unknown_retention_class: exitCode.usage,
  unknown_metadata_schema: exitCode.usage,
  invalid_metadata_schema: exitCode.usage,
  metadata_mismatch: exitCode.usage,
  too_many_files: exitCode.usage,
  integrity_failure: exitCode.integrityFailure,
  database_unavailable: exitCode.unreachable,
  database_not_migrated: exitCode.failed,
  storage_unavailable: exitCode.unreachable,
  server_unreachable: exitCode.unreachable,
  storage_full: exitCode.failed,
  invalid_configuration: exitCode.usage,
  cancelled: exitCode.stopped,
  internal: exitCode.failed,
};

export function exitCodeOf(error: unknown): number {
  return isArtifactstoreError(error) ? exitCodes[error.code] : exitCode.failed;
}

import { ArtifactstoreError, type ErrorCode } from '../../kernel/error.ts';
import { variableOf } from './bounds.ts';
import { type UploadProblem, uploadFieldsOf, uploadProblem } from './resumable/upload-problem.ts';

/** The one table from a code to its answer: the HTTP status, and the problem's title (RFC 9457). */
export const problems: Readonly<Record<ErrorCode, readonly [status: number, title: string]>> = {
  malformed_request: [400, 'The request is malformed'],
  malformed_json: [400, 'The body is not acceptable JSON'],
  malformed_multipart: [400, 'The body is not acceptable multipart/form-data'],
  malformed_archive: [400, 'The body is not an acceptable tar archive'],
  invalid_path: [400, 'The path is not legal'],
  invalid_address: [400, 'The content address is not legal'],
  invalid_id: [400, 'The id is not a UUID'],
  invalid_cursor: [400, 'The cursor is not one that was given out'],
  invalid_header: [400, 'A header is malformed'],
  idempotency_key_missing: [400, 'An Idempotency-Key is required'],
  unknown_parameter: [400, 'A query parameter is not known'],
  length_mismatch: [400, 'The body does not have the stated length'],
  digest_mismatch: [400, 'The body does not have the stated digest'],
  block_digest_mismatch: [400, 'A block of the body does not have the stated digest'],
  object_too_long: [400, 'The body is longer than was announced'],
  upload_length_mismatch: [400, 'The upload does not have the stated length'],
  unauthorized: [401, 'A bearer token is required'],
  forbidden: [403, 'Not allowed'],
  quota_exceeded: [403, 'The quota of the producer is used up'],
  too_many_uploads: [403, 'There are too many open uploads'],
  too_many_write_sessions: [403, 'There are too many open write sessions'],
  route_not_found: [404, 'There is no such route'],
  package_not_found: [404, 'There is no such package'],
  file_not_found: [404, 'There is no such file'],
  object_not_found: [404, 'There are no such bytes'],
  metadata_schema_not_found: [404, 'There is no such metadata schema'],
  hold_not_found: [404, 'There is no such hold'],
  upload_not_found: [404, 'There is no such upload'],
  write_session_not_found: [404, 'There is no such write session'],
  write_session_object_not_found: [404, 'The write session has no such object'],
  generation_not_found: [404, 'There is no such generation of keys'],
  authority_missing: [404, 'There is no authority at the provider'],
  method_not_allowed: [405, 'The method is not allowed here'],
  package_collected: [410, 'The package was collected'],
  write_session_expired: [410, 'The write session has expired'],
  write_session_aborted: [410, 'The write session was aborted'],
  package_not_open: [409, 'The package is not open'],
  package_not_finalized: [409, 'The package is not sealed'],
  package_empty: [409, 'The package has no file'],
  package_held: [409, 'The package is held'],
  path_conflict: [409, 'The path holds other bytes'],
  idempotency_conflict: [409, 'The idempotency key was used for another request'],
  metadata_schema_conflict: [409, 'The slug names another schema'],
  target_in_use: [409, 'The target holds something else'],
  upload_offset_mismatch: [409, 'The upload is at another offset'],
  upload_incomplete: [409, 'The upload is not complete'],
  upload_finished: [409, 'The upload is finished'],
  upload_superseded: [409, 'Another request continued the upload'],
  secret_conflict: [409, 'The secret is not what it was'],
  upload_locked: [423, 'Another request is adding to the upload'],
  write_session_incomplete: [409, 'The write session is not complete'],
  write_session_closed: [409, 'The write session takes nothing more'],
  write_session_committing: [409, 'The write session is being committed'],
  write_session_object_received: [409, 'The write session has the object already'],
  upload_of_write_session: [409, 'The upload is of an object of a write session'],
  rotation_conflict: [409, 'Another rotation is under way'],
  generation_in_use: [409, 'The generation of keys is in use'],
  not_acceptable: [406, 'No representation is acceptable'],
  request_timeout: [408, 'The request took too long to arrive'],
  length_required: [411, 'A length is required'],
  precondition_failed: [412, 'The precondition does not hold'],
  body_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'The media type is not supported here'],
  range_not_satisfiable: [416, 'The range does not exist'],
  expectation_failed: [417, 'The expectation is not met'],
  headers_too_large: [431, 'The headers are too large'],
  invalid_value: [422, 'A value is not legal'],
  unknown_retention_class: [422, 'There is no such retention class'],
  unknown_metadata_schema: [422, 'There is no such metadata schema'],
  invalid_metadata_schema: [422, 'The metadata schema is not valid'],
  metadata_schema_too_costly: [422, 'The metadata schema costs too much'],
  metadata_mismatch: [422, 'The metadata does not match its schema'],
  too_many_files: [422, 'There are too many files'],
  duplicate_name: [422, 'A name is there twice'],
  write_session_too_large: [422, 'The write session is too large'],
  write_session_empty: [422, 'The write session has no object'],
  invalid_digest: [422, 'A digest is malformed'],
  invalid_size: [422, 'A size is not legal'],
  invalid_ttl: [422, 'The time is out of bounds'],
  integrity_failure: [500, 'Stored bytes are damaged or missing'],
  too_busy: [503, 'The server has too much of this to do'],
  database_unavailable: [503, 'The database cannot be reached'],
  database_not_migrated: [503, 'The database is not migrated'],
  storage_unavailable: [503, 'The storage cannot be reached'],
  identity_unavailable: [503, 'The issuer of the token cannot be asked'],
  secrets_unavailable: [503, 'The store of secrets cannot be reached'],
  secrets_forbidden: [503, 'The store of secrets refuses'],
  secret_unusable: [503, 'A secret cannot be used'],
  provider_unavailable: [503, 'The provider cannot be asked'],
  provider_forbidden: [502, 'The provider does not allow it'],
  provider_refused: [502, 'The provider does not do it'],
  authority_unusable: [502, 'The authority cannot be used'],
  credential_too_wide: [502, 'The keys reach beyond their scope'],
  credential_unproven: [502, 'The keys are not proven'],
  revocation_failed: [502, 'The keys could not be ended'],
  server_unreachable: [503, 'A server cannot be reached'],
  unexpected_answer: [502, 'An answer is not that of the server'],
  storage_full: [507, 'The storage is full'],
  clock_in_doubt: [503, 'The clock is in doubt'],
  invalid_configuration: [500, 'The server is not configured correctly'],
  local_file_failed: [500, 'A file of this machine cannot be used'],
  cancelled: [503, 'The request was stopped'],
  internal: [500, 'Something went wrong'],
};

export const problemMediaType = 'application/problem+json';

/** What a client should wait before it asks again, in seconds. */
const retryAfterSeconds = 5;

/** The body of a problem answer. `request_id` finds it in the log. */
export interface Problem extends UploadProblem {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly field?: string;
  readonly info?: Readonly<Record<string, unknown>>;
  readonly request_id: string;
}

/** What the registry takes as an option, and a request of this door as a header. */
const headersOfOptions: ReadonlyMap<string, string> = new Map([['idempotency_key', 'Idempotency-Key']]);

/** An error of ours says itself; of any other the client learns nothing but the request id. */
export function toProblem(error: unknown, requestId: string): Problem {
  const known = error instanceof ArtifactstoreError ? error : undefined;
  const code = known?.code ?? 'internal';
  const [status, title] = problems[code];
  return {
    ...uploadProblem(code, known?.info),
    title,
    status,
    detail: known?.message ?? 'The server failed to answer; its log has the reason under the request id.',
    code,
    ...(known?.field === undefined ? {} : { field: headersOfOptions.get(known.field) ?? known.field }),
    ...(known?.info === undefined ? {} : { info: { ...known.info, ...variableOf(known.info.bound) } }),
    request_id: requestId,
  };
}

/** The headers that belong to a problem besides its length; `authorization` is that field of the request. */
export function problemHeaders(problem: Problem, authorization?: string): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': problemMediaType,
    'cache-control': 'no-store',
    ...uploadFieldsOf(problem.code, problem.info),
  };
  const challenge = challengeOf(problem, authorization);
  if (challenge !== undefined) headers['www-authenticate'] = challenge;
  if (problem.status === 503) headers['retry-after'] = String(retryAfterSeconds);
  return headers;
}

/**
 * RFC 6750 section 3: why a token was not enough, and nothing to whoever sent none, or something else. 403 has one
 * where the right of a token does not suffice.
 */
function challengeOf({ status, code, detail, info }: Problem, authorization: string | undefined): string | undefined {
  const challenge = 'Bearer realm="artifactstore"';
  const sentToken = authorization !== undefined && /^bearer\b/i.test(authorization);
  const right = code === 'forbidden' && typeof info?.right === 'string' ? info.right : undefined;
  if (status === 401) return sentToken ? `${challenge}, error="invalid_token", error_description="${described(detail)}"` : challenge;
  if (right === undefined || !sentToken) return undefined;
  return `${challenge}, error="insufficient_scope", error_description="${described(detail)}", scope="${right}"`;
}

/** The characters that such a description may have. */
function described(detail: string): string {
  return detail
    .slice(0, 300)
    .replaceAll('"', "'")
    .replaceAll(/[^\x20-\x5b\x5d-\x7e]/g, '?');
}

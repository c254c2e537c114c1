import { ArtifactstoreError, type ErrorRecord, toErrorRecord } from '../kernel/error.ts';

/** An error on its way from a thread: what the caller may know, and what only the log may. */
export interface Failure {
  readonly record: ErrorRecord;
  readonly trace?: string;
}

export function toFailure(error: unknown): Failure {
  if (error instanceof ArtifactstoreError) {
    const { cause } = error;
    return { record: toErrorRecord(error), ...(cause === undefined ? {} : { trace: traceOf(cause) }) };
  }
  return { record: toErrorRecord(internalError(undefined)), trace: traceOf(error) };
}

export function fromFailure(failure: Failure): ArtifactstoreError {
  const { record, trace } = failure;
  return new ArtifactstoreError(record.code, record.message, {
    ...(record.field === undefined ? {} : { field: record.field }),
    ...(record.info === undefined ? {} : { info: record.info }),
    ...(trace === undefined ? {} : { cause: withTrace(trace) }),
  });
}

/**
 * Our own error as it is; anything else as `internal`, which says nothing to the caller and keeps what it was for the
 * log.
 */
export function asArtifactstoreError(error: unknown): ArtifactstoreError {
  return error instanceof ArtifactstoreError ? error : internalError(error);
}

export function databaseUnavailable(message: string, cause?: unknown): ArtifactstoreError {
  return new ArtifactstoreError('database_unavailable', message, { cause });
}

/** The row that says where the log ends is gone: nothing can be appended, and nothing that was is lost. */
export function lostHead(): ArtifactstoreError {
  return databaseUnavailable('The log has lost its head; run `artifactstore replay`.');
}

function internalError(cause: unknown): ArtifactstoreError {
  return new ArtifactstoreError('internal', 'A database operation failed unexpectedly; the log has the details.', { cause });
}

function traceOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error);
}

function withTrace(trace: string): Error {
  const error = new Error(trace.split('\n', 1)[0]);
  error.stack = trace;
  return error;
}

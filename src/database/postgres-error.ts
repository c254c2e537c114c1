import { ArtifactstoreError } from '../kernel/error.ts';
import { databaseUnavailable } from './failure.ts';

/** The five characters of https://www.postgresql.org/docs/current/errcodes-appendix.html, when the server raised the error. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return error.code;
}

/** What to answer when there is no connection to be had. */
export function unreachable(cause: unknown): ArtifactstoreError {
  return databaseUnavailable('The database server cannot be reached; repeat the request.', cause);
}

/** Whether the server said that it ends the session, and with it the transaction. */
export function endsSession(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && (state.startsWith('08') || state.startsWith('57P') || state === '25P03' || state === '25P04');
}

/** The error to answer with when it is the server or its disk that failed; undefined when it is not that. */
export function serverFault(error: unknown): ArtifactstoreError | undefined {
  const state = sqlState(error);
  if (state === undefined) return undefined;
  if (state === '53100')
    return new ArtifactstoreError('storage_full', "The database server's disk is full; make room and repeat the request.", {
      cause: error,
    });
  if (state === 'XX001' || state === 'XX002')
    return new ArtifactstoreError('integrity_failure', 'The database server reports damaged data.', { cause: error });
  if (unavailable.some((start) => state.startsWith(start)))
    return databaseUnavailable('The database server cannot serve the request now; repeat it.', error);
  return undefined;
}

/** Connections, read-only servers, refused authentication, missing databases, serialization, resources, locks, operators, disks. */
const unavailable = ['08', '25006', '25P03', '25P04', '28', '3D', '40', '53', '55P03', '57', '58'];

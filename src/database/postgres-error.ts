import { ArtifactstoreError } from '../kernel/error.ts';
import { databaseUnavailable } from './failure.ts';

/** The five characters of https://www.postgresql.org/docs/current/errcodes-appendix.html, when the server raised the error. */
export function sqlState(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  return error.code;
}

/** The error to answer with when it is the server, the way to it or its disk that failed; undefined when it is not that. */
export function serverFault(error: unknown): ArtifactstoreError | undefined {
  if (!(error instanceof Error) || error instanceof ArtifactstoreError) return undefined;
  const state = sqlState(error);
  if (state === undefined)
    return isConnectionLoss(error) ? databaseUnavailable('The database server cannot be reached; repeat the request.', error) : undefined;
  if (state === '53100')
    return new ArtifactstoreError('storage_full', "The database server's disk is full; make room and repeat the request.", {
      cause: error,
    });
  if (state === 'XX001' || state === 'XX002')
    return new ArtifactstoreError('integrity_failure', 'The database server reports damaged data.', { cause: error });
  if (unavailableClasses.some((start) => state.startsWith(start)))
    return databaseUnavailable('The database server cannot serve the request now; repeat it.', error);
  return undefined;
}

/** Whether the connection is gone, with whatever its transaction had done. */
export function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof ArtifactstoreError) return false;
  const state = sqlState(error);
  if (state !== undefined) return state.startsWith('08') || state.startsWith('57P') || state === '25P03' || state === '25P04';
  if ('code' in error && typeof error.code === 'string') return /^E[A-Z]+$/.test(error.code);
  return /connection|timeout|Client was closed/i.test(error.message);
}

/** Connections, refused authentication, read-only servers, serialization, resources, locks, operator, input and output. */
const unavailableClasses = ['08', '25006', '25P03', '25P04', '28', '3D', '40', '53', '55P03', '57', '58'];

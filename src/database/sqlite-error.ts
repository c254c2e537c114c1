import { ArtifactstoreError } from '../kernel/error.ts';
import { databaseUnavailable } from './failure.ts';

/** SQLite's primary result codes, https://sqlite.org/rescode.html. */
const result = {
  perm: 3,
  busy: 5,
  locked: 6,
  nomem: 7,
  readonly: 8,
  ioerr: 10,
  corrupt: 11,
  full: 13,
  cantopen: 14,
  protocol: 15,
  notadb: 26,
};

/** The primary result code of an error that SQLite itself raised. */
export function sqliteResult(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

export function isBusy(error: unknown): boolean {
  const code = sqliteResult(error);
  return code === result.busy || code === result.locked;
}

/** The error to answer with when it is the database that failed, not an operation; undefined when it is not that. */
export function storageFault(error: unknown): ArtifactstoreError | undefined {
  switch (sqliteResult(error)) {
    case result.full:
      return new ArtifactstoreError('storage_full', 'The disk that holds the database is full; make room and repeat the request.', {
        cause: error,
      });
    case result.busy:
    case result.locked:
    case result.protocol:
      return databaseUnavailable('Another process holds the database; repeat the request.', error);
    case result.perm:
    case result.readonly:
    case result.cantopen:
    case result.ioerr:
    case result.nomem:
      return databaseUnavailable('The database file cannot be read or written; see the log for the reason.', error);
    case result.corrupt:
    case result.notadb:
      return new ArtifactstoreError('integrity_failure', 'The database file is damaged or is no SQLite database.', { cause: error });
    default:
      return undefined;
  }
}

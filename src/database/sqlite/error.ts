import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { fileReason } from '../../runtime/file-error.ts';
import { databaseUnavailable } from '../failure.ts';
import { ourTables } from '../foreign.ts';

/** SQLite's primary result codes, https://sqlite.org/rescode.html. */
const result = {
  error: 1,
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

/**
 * The file beside the database that readers and writers share could not be made longer:
 * https://sqlite.org/rescode.html#ioerr_shmsize.
 */
const shmSize = 10 | (19 << 8);

/**
 * A write was cut off, and only a connection that writes can put it back:
 * https://sqlite.org/rescode.html#readonly_rollback.
 */
const readOnlyRollback = 8 | (3 << 8);

export function isCutOff(error: unknown): boolean {
  return (error as { readonly errcode?: unknown }).errcode === readOnlyRollback;
}

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
export function storageFault(error: unknown, path: string): ArtifactstoreError | undefined {
  const code = (error as { readonly errcode?: unknown }).errcode === shmSize ? result.full : sqliteResult(error);
  if (isCutOff(error))
    return databaseUnavailable(`A write to the database ${path} was cut off; \`artifactstore migrate\` puts it back.`, error);
  switch (code) {
    case result.full:
      return new ArtifactstoreError('storage_full', `The disk that holds the database ${path} is full; make room and repeat the request.`, {
        cause: error,
      });
    case result.busy:
    case result.locked:
    case result.protocol:
      return databaseUnavailable(`Another process holds the database ${path}; repeat the request.`, error);
    case result.perm:
    case result.readonly:
    case result.cantopen:
    case result.ioerr:
    case result.nomem:
      return databaseUnavailable(`The database file ${path} cannot be used: ${unusable(path, (error as Error).message)}.`, error);
    case result.corrupt:
    case result.notadb:
      return new ArtifactstoreError('integrity_failure', `The database file ${path} is damaged or is no SQLite database.`, {
        cause: error,
      });
    case result.error:
      return lostTable(error, path);
    default:
      return undefined;
  }
}

/** A table that our statements name is not there: dropped by hand, or never made by this program. */
function lostTable(error: unknown, path: string): ArtifactstoreError | undefined {
  const name = /^no such table: (.+)$/.exec((error as Error).message)?.[1];
  return name === undefined || !ourTables.has(name)
    ? undefined
    : databaseUnavailable(`The database ${path} has lost ${name}; run \`artifactstore replay\`, or restore a backup.`, error);
}

/** What is wrong with the file, as far as the system tells. */
function unusable(path: string, message: string): string {
  try {
    if (statSync(path).isDirectory()) return 'it is a directory';
    accessSync(path, constants.R_OK | constants.W_OK);
    accessSync(dirname(resolve(path)), constants.R_OK | constants.W_OK | constants.X_OK);
    return `the disk does not do what it is asked (${message})`;
  } catch (error) {
    return fileReason(error);
  }
}

import { stat } from 'node:fs/promises';
import type { AccessFile } from '../identity/access-file/access-file.ts';
import { accessFileError } from '../identity/access-file/findings.ts';
import { longestAccessFile, readAccessFile } from '../identity/access-file/read.ts';
import { localFileError } from '../runtime/file-error.ts';
import { readAtMost } from '../runtime/read-at-most.ts';

/** The access file at a path, with all that is worth a warning. Errors: all that is wrong with it, in one. */
export async function readAccessFileAt(path: string, field: string): Promise<AccessFile> {
  const read = readAccessFile(await readBounded(path, field));
  if ('errors' in read) throw accessFileError(path, read.errors);
  if (!(await mayEverybodyChange(path, field))) return read.file;
  const message = 'everybody on this machine may change the file: a server refuses it here; run `chmod o-w` on it';
  return { ...read.file, warnings: [{ line: 1, column: 1, message }, ...read.file.warnings] };
}

async function mayEverybodyChange(path: string, field: string): Promise<boolean> {
  try {
    const seen = await stat(path);
    return seen.isFile() && (seen.mode & 0o002) !== 0;
  } catch (error) {
    throw localFileError(error, path, 'read', { field });
  }
}

/** Of a file that is no longer than an access file may be. */
export async function readBounded(path: string, field: string): Promise<Uint8Array> {
  try {
    return await readAtMost(path, longestAccessFile);
  } catch (error) {
    throw localFileError(error, path, 'read', { field });
  }
}

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { ArtifactstoreError } from '../kernel/error.ts';

/**
 * Throws `target_in_use` where what is to be replaced is an SQLite database, such as the one of a registry on this
 * machine: all that it acknowledged would be gone. What cannot be read is for whoever writes there to tell.
 */
export function refuseDatabase(path: string, field?: string): void {
  if (!isDatabase(path)) return;
  throw new ArtifactstoreError('target_in_use', `"${path}" is an SQLite database. It is not replaced.`, {
    ...(field === undefined ? {} : { field }),
    info: { hint: 'name another file' },
  });
}

function isDatabase(path: string): boolean {
  // A pipe would be waited for.
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const start = Buffer.alloc(mark.length);
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return false;
  }
  try {
    readSync(descriptor, start, 0, start.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return start.equals(mark);
}

/** What each of them begins with (the file format of SQLite, section 1.3.1). */
const mark: Buffer = Buffer.from('SQLite format 3\0', 'latin1');

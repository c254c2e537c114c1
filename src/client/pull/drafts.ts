import { lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errnoCode, localFileError } from '../../runtime/file-error.ts';
import { isDraftFolder, newDraftFolder } from '../tree/draft-folder.ts';

/** A folder for files that have no name yet. */
export interface DraftFolder {
  readonly path: string;
  /** With everything in it. */
  remove(): Promise<void>;
}

/**
 * Makes one at the top of a directory, with a lock that the system takes back when this process ends, however it ends:
 * so a folder that nobody owns any more is told from one of a pull in progress, of any process and container on the
 * same file system. A process id could not say it: it is used again, and another container does not see it.
 */
export async function makeDraftFolder(root: string): Promise<DraftFolder> {
  for (;;) {
    const path = join(root, newDraftFolder());
    await mkdir(path).catch((error: unknown) => {
      throw localFileError(error, root, 'written to');
    });
    const lock = (await makeLockFile(path)) ? takeLock(path) : 'taken';
    // Somebody who removes dead folders came between: another name.
    if (lock === 'taken') continue;
    return {
      path,
      async remove() {
        try {
          await rm(path, { recursive: true, force: true });
        } finally {
          if (lock !== 'unknown') lock.close();
        }
      },
    };
  }
}

/** Removes the folders of pulls that were killed; answers the names of those that may still be somebody's. */
export async function removeDeadDrafts(root: string): Promise<readonly string[]> {
  const left: string[] = [];
  for (const entry of await readdir(root, { withFileTypes: true })) {
    if (!entry.isDirectory() || !isDraftFolder(entry.name)) continue;
    const path = join(root, entry.name);
    const lock = (await isLockable(path)) ? takeLock(path) : 'unknown';
    if (lock === 'taken' || lock === 'unknown') left.push(entry.name);
    else
      try {
        await rm(path, { recursive: true, force: true });
      } catch (error) {
        throw localFileError(error, path, 'removed');
      } finally {
        lock.close();
      }
  }
  return left;
}

const lockName = 'lock';

/**
 * SQLite's lock is the system's lock on a file, which Node.js itself does not offer. `unknown`: there are no locks on
 * this file system.
 */
function takeLock(folder: string): DatabaseSync | 'taken' | 'unknown' {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(folder, lockName), { timeout: 0 });
    database.exec('begin exclusive');
    return database;
  } catch (error) {
    database?.close();
    return (error as { readonly errcode?: number }).errcode === sqliteBusy ? 'taken' : 'unknown';
  }
}

const sqliteBusy = 5;

/** False when the folder, or a lock in it, is somebody else's by now. */
async function makeLockFile(folder: string): Promise<boolean> {
  try {
    await (await open(join(folder, lockName), 'wx')).close();
    return true;
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'EEXIST' || code === 'ENOENT') return false;
    await rm(folder, { recursive: true, force: true });
    throw localFileError(error, folder, 'written to');
  }
}

/** A lock that is no plain file could lead anywhere. One that is not there yet is made by who takes it. */
async function isLockable(folder: string): Promise<boolean> {
  try {
    return (await lstat(join(folder, lockName))).isFile();
  } catch (error) {
    return errnoCode(error) === 'ENOENT';
  }
}

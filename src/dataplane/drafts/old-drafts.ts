import { lstat, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '../../runtime/file-error.ts';

/**
 * Removes drafts in `directory` that were not written to for `ageSeconds`; how many. One that somebody else removes
 * first is not counted. Whatever does not have a draft's name stays: the directory may have been somebody else's before
 * it was ours. A dry run only counts.
 */
export async function removeOldFiles(directory: string, ageSeconds: number, dryRun = false): Promise<number> {
  const before = Date.now() - ageSeconds * 1000;
  let removed = 0;
  for (const name of await namesIn(directory)) {
    if (!draftName.test(name)) continue;
    const path = join(directory, name);
    try {
      const status = await lstat(path);
      if (!status.isFile() || status.mtimeMs > before) continue;
      if (!dryRun) await unlink(path);
      removed += 1;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError(error, path);
    }
  }
  return removed;
}

/** Those of uploads, and of the attempts to write that a look at the health makes. */
const draftName = /^(?:probe-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** None where the directory is not there. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fileError(error, directory);
  }
}

import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError } from '../kernel/file-error.ts';

/**
 * Removes files of `directory` that were not written to for `ageSeconds`; how many. One that somebody else removes first is not counted.
 * A dry run only counts.
 */
export async function removeOldFiles(directory: string, ageSeconds: number, dryRun = false): Promise<number> {
  const before = Date.now() - ageSeconds * 1000;
  let removed = 0;
  for (const name of await names(directory)) {
    const path = join(directory, name);
    try {
      const { mtimeMs } = await stat(path);
      if (mtimeMs > before) continue;
      if (!dryRun) await unlink(path);
      removed += 1;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw fileError(error, path);
    }
  }
  return removed;
}

async function names(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw fileError(error, directory);
  }
}

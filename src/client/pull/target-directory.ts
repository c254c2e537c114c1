import { lstat, mkdir, readdir, rmdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { errnoCode, localFileError } from '../../runtime/file-error.ts';
import type { OptionNames } from '../transfer-options.ts';
import { isDraftFolder } from '../tree/draft-folder.ts';

/**
 * Sees to it that the directory is there, and empty unless `force`. Answers the first of the directories that had to be
 * made.
 */
export async function prepareDirectory(root: string, shown: string, force: boolean, names: OptionNames): Promise<string | undefined> {
  const found = await stat(root).catch(async (error: unknown) => {
    if (errnoCode(error) !== 'ENOENT') throw localFileError(error, shown, 'used', { field: names.directory });
    const link = await lstat(root).catch(() => undefined);
    if (link === undefined) return undefined;
    throw new ArtifactstoreError('invalid_path', `"${shown}" is a symbolic link that leads nowhere.`, {
      field: names.directory,
      info: { hint: 'create the directory that it names, or pull into another one' },
    });
  });
  if (found === undefined)
    return await makeDirectories(root).catch((error: unknown) => {
      throw localFileError(error, shown, 'made', { field: names.directory });
    });
  if (!found.isDirectory())
    throw new ArtifactstoreError('invalid_path', `"${shown}" is not a directory, and the files of a package go into one.`, {
      field: names.directory,
      info: { hint: 'name a directory; it is made when it is not there' },
    });
  const entries = await readdir(root).catch((error: unknown) => {
    throw localFileError(error, shown, 'read', { field: names.directory });
  });
  if (entries.length > 0 && !force)
    throw new ArtifactstoreError('path_conflict', `"${shown}" is not empty.`, {
      field: names.directory,
      info: {
        hint: entries.some(isDraftFolder)
          ? `a pull into it was stopped, or is in progress; ${names.force} resumes one that was stopped`
          : `choose another directory, or ${names.force}: wrong files are replaced, others stay`,
      },
    });
  return undefined;
}

/**
 * One by one: Node's recursive mkdir says of a read-only file system that something is not there. Answers the first
 * that it made.
 */
async function makeDirectories(path: string): Promise<string> {
  try {
    await mkdir(path);
    return path;
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    const first = await makeDirectories(dirname(path));
    await mkdir(path);
    return first;
  }
}

/** Takes directories away again that were made for nothing; whatever else is in them keeps them. */
export async function unmake(root: string, made: string | undefined): Promise<void> {
  if (made === undefined) return;
  try {
    for (let path = root; path.length >= made.length; path = dirname(path)) await rmdir(path);
  } catch (error) {
    if (errnoCode(error) === undefined) throw error;
  }
}

import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRelativePath } from '../../kernel/content/path.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';
import type { ManifestFile } from '../../kernel/manifest.ts';
import { errnoCode, localFileError } from '../../runtime/file-error.ts';
import { createCheck, isExecutable } from '../file-check.ts';

/**
 * Puts files of a package below a directory, and nowhere else, whatever the manifest says and whatever links stand
 * there.
 */
export interface Placer {
  /** Whether the right bytes stand at the file's place; sets the executable bit right. */
  isThere(file: ManifestFile): Promise<boolean>;
  /**
   * Writes the bytes aside, checks both digests, and only then gives them the file's name. Throws `integrity_failure`.
   */
  place(file: ManifestFile, body: AsyncIterable<Uint8Array>, onBytes: (count: number) => void): Promise<void>;
}

/** `drafts` is an empty directory on the same file system. */
export function createPlacer(root: string, drafts: string): Placer {
  const folders = new Map<string, Promise<void>>();
  let count = 0;

  /** Makes each folder on the way, and refuses what is no real folder: a link could lead outside. */
  function enter(segments: readonly string[]): Promise<void> {
    if (segments.length === 0) return Promise.resolve();
    const path = join(root, ...segments);
    let entered = folders.get(path);
    if (entered === undefined) {
      entered = enter(segments.slice(0, -1)).then(() => makeFolder(path));
      folders.set(path, entered);
    }
    return entered;
  }

  return {
    async isThere(file) {
      const segments = parseRelativePath(file.relative_path).split('/');
      const path = join(root, ...segments);
      try {
        return (await areFolders(root, segments.slice(0, -1))) && (await holds(path, file));
      } catch (error) {
        // What can't be read is brought again.
        if (errnoCode(error) === 'EACCES') return false;
        throw localFileError(error, path, 'read', { field: file.relative_path });
      }
    },

    async place(file, body, onBytes) {
      const segments = parseRelativePath(file.relative_path).split('/');
      const path = join(root, ...segments);
      const failed = (error: unknown): never => {
        throw localFileError(error, path, 'written', { field: file.relative_path });
      };
      await enter(segments.slice(0, -1));
      count += 1;
      const draft = join(drafts, String(count));
      const handle = await open(draft, 'wx', isExecutable(file) ? 0o777 : 0o666).catch(failed);
      try {
        const check = createCheck(file);
        for await (const chunk of body) {
          check.update(chunk);
          await handle.writeFile(chunk).catch(failed);
          onBytes(chunk.length);
        }
        const fault = check.fault();
        if (fault !== undefined)
          throw new ArtifactstoreError('integrity_failure', `The bytes of "${file.relative_path}" are wrong: ${fault}.`, {
            field: file.relative_path,
          });
      } catch (error) {
        await handle.close();
        await rm(draft, { force: true });
        throw error;
      }
      // Some file systems say only here that they are full.
      await handle.close().catch(failed);
      // The folders were looked at when they were made: who can write there may have put a link in the place of one
      // since.
      if (!(await areFolders(root, segments.slice(0, -1)).catch(failed))) {
        await rm(draft, { force: true });
        throw new ArtifactstoreError('path_conflict', `A folder of "${file.relative_path}" was replaced while the pull was running.`, {
          field: file.relative_path,
          info: { hint: 'pull into a directory that nobody else writes to' },
        });
      }
      // A link that stands there is replaced itself, not what it leads to.
      await rename(draft, path).catch((cause: unknown) => {
        if (errnoCode(cause) !== 'EISDIR' && errnoCode(cause) !== 'ENOTEMPTY') return failed(cause);
        throw new ArtifactstoreError('path_conflict', `There is a directory where "${file.relative_path}" belongs.`, {
          field: file.relative_path,
          info: { hint: 'move it elsewhere, or pull into another directory' },
          cause,
        });
      });
    },
  };
}

/** Whether the right bytes are there; if so, sets the executable bit right. */
async function holds(path: string, file: ManifestFile): Promise<boolean> {
  const stat = await lstat(path).catch(absent);
  if (stat === undefined || !stat.isFile() || stat.size !== file.size_bytes) return false;
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const check = createCheck(file);
    for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: 1_048_576 })) check.update(chunk as Uint8Array);
    if (check.fault() !== undefined) return false;
    const executable = isExecutable(file);
    if (executable !== ((stat.mode & 0o111) !== 0)) await handle.chmod(executable ? stat.mode | 0o111 : stat.mode & ~0o111);
    return true;
  } finally {
    await handle.close();
  }
}

/** Whether all of them are real folders already. */
async function areFolders(root: string, segments: readonly string[]): Promise<boolean> {
  for (let depth = 1; depth <= segments.length; depth += 1) {
    const stat = await lstat(join(root, ...segments.slice(0, depth))).catch(absent);
    if (stat?.isDirectory() !== true) return false;
  }
  return true;
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw localFileError(error, path, 'made');
    const found = await lstat(path).catch((cause: unknown) => {
      throw localFileError(cause, path, 'looked at');
    });
    if (!found.isDirectory())
      throw new ArtifactstoreError('path_conflict', `There is something else where the folder "${path}" belongs.`, {
        info: { hint: 'a link is not followed; move it elsewhere, or pull into another directory' },
      });
  }
}

function absent(error: unknown): undefined {
  const code = errnoCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
  throw error;
}

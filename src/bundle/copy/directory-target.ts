import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { createHasher, toHex } from '../../kernel/content/digest.ts';
import type { RelativePath } from '../../kernel/content/path.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../../kernel/error.ts';
import { makeDurableDirectory, syncDirectory } from '../../runtime/durable-directory.ts';
import { errnoCode, localFileError } from '../../runtime/file-error.ts';
import { openInside } from '../open-inside.ts';
import { chunksOf } from '../read-chunks.ts';
import type { CopyTarget, NewFile } from './copy-bundle.ts';
import { nothingInstalled } from './nothing-installed.ts';

export interface InstallOptions {
  /** Of files, such as 0o644. Directories that are made are 0o755. */
  readonly mode: number;
  /** As chown(1) takes it; whoever installs where absent. */
  readonly owner?: string;
  /**
   * Whether the place may be new. Without it one that has no folder `sha256` is refused: what belongs there may not be
   * mounted, and what is installed would be hidden when it is.
   */
  readonly create?: boolean;
}

/** A directory of this machine; a new one is made, with what is missing above it, when something is installed. */
export function directoryTarget(directory: string, { mode, owner, create = false }: InstallOptions): CopyTarget {
  return {
    title: `"${directory}"`,
    async digestsOf(paths) {
      if (!create) await requireInstalled(directory);
      const found = new Map<string, string>();
      for (const path of paths) {
        const sha256 = await digestAt(directory, path as RelativePath);
        if (sha256 !== undefined) found.set(path, sha256);
      }
      return found;
    },
    async put(file) {
      const place = join(directory, file.path);
      try {
        await makeDirectory(directory, dirname(place));
        await install(file, place, mode, owner);
      } catch (error) {
        throw localFileError(error, place, 'written');
      }
    },
  };
}

async function requireInstalled(directory: string): Promise<void> {
  try {
    await lstat(join(directory, 'sha256'));
  } catch (error) {
    const code = errnoCode(error);
    throw code === 'ENOENT' || code === 'ENOTDIR' ? nothingInstalled(`"${directory}"`) : localFileError(error, directory, 'read');
  }
}

async function digestAt(directory: string, path: RelativePath): Promise<string | undefined> {
  try {
    await using handle = await openInside(directory, path);
    const hasher = createHasher('sha256');
    for await (const chunk of chunksOf(handle, 0, Number.POSITIVE_INFINITY)) hasher.update(chunk);
    return toHex(hasher.digest());
  } catch (error) {
    // A link is replaced by the file.
    if (isArtifactstoreError(error, 'object_not_found') || isArtifactstoreError(error, 'integrity_failure')) return undefined;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function install({ sha256, body }: NewFile, place: string, mode: number, owner: string | undefined): Promise<void> {
  const folder = dirname(place);
  const draft = join(folder, `.${randomUUID()}${draftSuffix}`);
  let handle: FileHandle | undefined;
  try {
    handle = await open(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
    const hasher = createHasher('sha256');
    for await (const chunk of body) {
      hasher.update(chunk);
      await handle.writeFile(chunk);
    }
    if (toHex(hasher.digest()) !== sha256) throw changed(place);
    if (owner !== undefined) await giveTo(owner, draft);
    await handle.chmod(mode);
    await handle.sync();
    await handle.close();
    handle = undefined;
    await rename(draft, place);
    await syncDirectory(folder);
  } catch (error) {
    await handle?.close();
    await rm(draft, { force: true });
    throw error;
  }
}

/** The names of users are the system's to know: its own program reads them. */
async function giveTo(owner: string, path: string): Promise<void> {
  try {
    await promisify(execFile)('chown', ['--', owner, path]);
  } catch (cause) {
    throw new ArtifactstoreError(
      'invalid_value',
      `The file cannot be given to "${owner}": there is no such user or group, or only root may.`,
      {
        field: '--owner',
        info: { hint: 'name a user, or user:group, of that machine, and run this as root' },
        cause,
      },
    );
  }
}

/** Made where it is missing. It is a directory of `root` itself. */
async function makeDirectory(root: string, directory: string): Promise<void> {
  const isNew = await makeDurableDirectory(directory, 0o755);
  if (directory !== root && !(await lstat(directory)).isDirectory())
    throw new ArtifactstoreError('invalid_path', `"${directory}" is not a directory of its own.`, {
      info: { hint: 'remove the link: what is installed stays in the directory that was named' },
    });
  if (!isNew) await removeOldDrafts(directory);
}

const draftSuffix = '.draft';
const oldMilliseconds = 86_400_000;

/** Those of installations that were killed. */
async function removeOldDrafts(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!/^\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.draft$/.test(name)) continue;
    const seen = await lstat(join(directory, name)).catch(() => undefined);
    if (seen?.isFile() === true && Date.now() - seen.mtimeMs > oldMilliseconds) await rm(join(directory, name), { force: true });
  }
}

function changed(place: string): ArtifactstoreError {
  return new ArtifactstoreError(
    'digest_mismatch',
    `What arrived for "${place}" has another digest: the file changed while it was copied.`,
    {
      info: { hint: 'nothing was installed under this name: run the command again when nobody writes to the files' },
    },
  );
}

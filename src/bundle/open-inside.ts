import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RelativePath } from '../kernel/content/path.ts';
import { ArtifactstoreError, isArtifactstoreError } from '../kernel/error.ts';
import { errnoCode, localFileError } from '../runtime/file-error.ts';

/**
 * Opens a regular file below a directory, to be read. No link is followed on the way from the directory to the file, so
 * that it is not elsewhere, and a pipe is not waited for. Throws `object_not_found` where nothing is there,
 * `integrity_failure` for what is no file of the directory's own, and `local_file_failed` where that can't be known.
 */
export async function openInside(directory: string, path: RelativePath): Promise<FileHandle> {
  const place = join(directory, path);
  let handle: FileHandle | undefined;
  try {
    const real = await realpath(directory);
    handle = await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const found = await handle.stat();
    if (!found.isFile()) throw notOwn(place, 'is not a regular file');
    if ((await realpath(dirname(place))) !== dirname(join(real, path))) throw notOwn(place, 'is reached through a symbolic link');
    return handle;
  } catch (error) {
    await handle?.close();
    throw ofFile(error, place);
  }
}

function ofFile(error: unknown, place: string): unknown {
  switch (errnoCode(error)) {
    case undefined:
      return error;
    case 'ENOENT':
    case 'ENOTDIR':
      return new ArtifactstoreError('object_not_found', `There is no file at ${place}.`, { cause: error });
    case 'ELOOP':
      return notOwn(place, 'is a symbolic link');
    case 'ENXIO':
      return notOwn(place, 'is not a regular file');
    default: {
      const told = localFileError(error, place, 'read');
      if (!isArtifactstoreError(told, 'invalid_path')) return told;
      return new ArtifactstoreError('local_file_failed', told.message, {
        ...(told.info === undefined ? {} : { info: told.info }),
        cause: error,
      });
    }
  }
}

function notOwn(place: string, fault: string): ArtifactstoreError {
  return new ArtifactstoreError('integrity_failure', `${place} ${fault}.`, {
    info: { hint: 'artifacts are regular files below the directory of their manifest: copy it there' },
  });
}

import { access, constants, mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ArtifactstoreError } from '../../kernel/error.ts';
import { errnoCode, fileReason } from '../../runtime/file-error.ts';

const setting = 'ARTIFACTSTORE_STORAGE_SPOOL_ROOT';

/**
 * Makes the directory of drafts for backends that have no place of their own, and throws `invalid_configuration` where
 * it cannot be used.
 */
export async function makeSpool(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(directory, error);
  }
  const fault = await spoolFault(directory);
  if (fault !== undefined) throw fault;
}

/** Why it cannot be used; undefined where it can, or could be made. Makes nothing. */
export async function spoolFault(directory: string): Promise<ArtifactstoreError | undefined> {
  for (let path = resolve(directory); ; path = dirname(path)) {
    try {
      if (!(await stat(path)).isDirectory()) return unusable(directory, Object.assign(new Error(path), { code: 'ENOTDIR', errno: -20 }));
      await access(path, constants.W_OK | constants.X_OK);
      return undefined;
    } catch (error) {
      if (errnoCode(error) !== 'ENOENT' || path === dirname(path)) return unusable(directory, error);
    }
  }
}

function unusable(directory: string, error: unknown): ArtifactstoreError {
  return new ArtifactstoreError('invalid_configuration', `Uploads cannot wait in ${directory}: ${fileReason(error)}; correct ${setting}.`, {
    field: setting,
    cause: error,
  });
}

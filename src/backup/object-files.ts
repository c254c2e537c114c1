import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ArtifactstoreError } from '../kernel/error.ts';
import { errnoCode } from '../kernel/file-error.ts';
import { objectOpener } from '../storage/local-read.ts';
import type { Storage } from '../storage/STORAGE.ts';
import { backupError } from './durable-file.ts';

/** The objects of a backup that is only read: nothing is made, so it may lie on a read-only disk. */
export function readObjectFiles(id: string, root: string): Storage {
  const open = objectOpener();
  const refuse = (): never => {
    throw new ArtifactstoreError('internal', `The backup at ${root} is only read`);
  };
  const head = async (key: string) => {
    const sizeBytes = await sizeOfFile(join(root, key));
    return sizeBytes === undefined ? undefined : { sizeBytes };
  };
  return {
    id,
    get: (key, options = {}) => open(join(root, key), options),
    head,
    put: refuse,
    create: refuse,
    delete: refuse,
    list: refuse,
    async health() {
      return await stat(root).then(
        () => ({ healthy: true, detail: 'ok', freeBytes: null, totalBytes: null }),
        (error: unknown) => ({ healthy: false, detail: String(backupError(error, root)), freeBytes: null, totalBytes: null }),
      );
    },
  };
}

/** Undefined where there is no file. */
export async function sizeOfFile(path: string): Promise<number | undefined> {
  try {
    const status = await stat(path);
    return status.isFile() ? status.size : undefined;
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw backupError(error, path);
  }
}

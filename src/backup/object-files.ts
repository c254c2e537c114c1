import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ArtifactstoreError } from '../kernel/error.ts';
import { errnoCode } from '../runtime/file-error.ts';
import { objectOpener } from '../storage/local/read.ts';
import type { Storage } from '../storage/STORAGE.ts';
import { backupError } from './durable-file.ts';

/** The objects of a backup that is only read: nothing is made, so it may lie on a read-only disk. */
export function readObjectFiles(id: string, root: string): Storage {
  const open = objectOpener();
  const refuse = (): never => {
    throw new ArtifactstoreError('internal', `The backup at ${root} is only read`);
  };
  const head = async (key: string) => {
    const sizeBytes = await sizeOfObject(root, key);
    return sizeBytes === undefined ? undefined : { sizeBytes };
  };
  return {
    id,
    async get(key, options = {}) {
      const reader = await open(join(root, key), options);
      if (reader === undefined) await requireRoot(root);
      return reader;
    },
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

/**
 * Undefined where the backup does not have it; throws `storage_unavailable` where the backup itself is not there any
 * more.
 */
export async function sizeOfObject(root: string, key: string): Promise<number | undefined> {
  const size = await sizeOfFile(join(root, key));
  if (size === undefined) await requireRoot(root);
  return size;
}

async function requireRoot(root: string): Promise<void> {
  await stat(root).catch((error: unknown) => {
    throw backupError(error, root);
  });
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

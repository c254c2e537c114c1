import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode, fileError } from '../../runtime/file-error.ts';
import { throwIfStopped } from '../../runtime/stop.ts';
import { draftsSegment } from '../object-key.ts';
import type { ListedObject } from '../STORAGE.ts';

/** There is no object at the path: nothing at all, a file where a folder would be, or a folder. */
export const absentCodes: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);

/** What a file system has at its own root, for its owner only. */
const lostAndFound = 'lost+found';

/** Every object below a folder (empty, or with a slash at its end) whose key begins with the prefix. */
export async function* listDirectory(
  root: string,
  folder: string,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<ListedObject> {
  throwIfStopped(signal);
  for (const entry of await readDirectory(join(root, folder))) {
    const key = `${folder}${entry.name}`;
    if (key === draftsSegment || key === lostAndFound) continue;
    if (entry.isDirectory()) {
      const inside = `${key}/`;
      if (inside.startsWith(prefix) || prefix.startsWith(inside)) yield* listDirectory(root, inside, prefix, signal);
    } else if (entry.isFile() && key.startsWith(prefix)) {
      throwIfStopped(signal);
      const listed = await listedObject(root, key);
      if (listed !== undefined) yield listed;
    }
  }
}

async function readDirectory(path: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (absentCodes.has(errnoCode(error) ?? '')) return [];
    throw fileError(error, path);
  }
}

async function listedObject(root: string, key: string): Promise<ListedObject | undefined> {
  const path = join(root, key);
  try {
    const status = await lstat(path);
    return status.isFile() ? { key, sizeBytes: status.size, modifiedMilliseconds: Math.floor(status.mtimeMs) } : undefined;
  } catch (error) {
    if (absentCodes.has(errnoCode(error) ?? '')) return undefined;
    throw fileError(error, path);
  }
}

import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sha256, toHex, utf8 } from '../../kernel/content/digest.ts';
import { attempt, makeFolders, replace, requireOutside } from '../digest-index/index-folder.ts';
import type { KnownUploads } from '../resumable.ts';

/** No server keeps an upload for so long. */
const keptMilliseconds = 30 * 86_400_000;

/** The length of an id. A file that has more is not one of ours. */
const idLength = 36;

/**
 * Ids of uploads below `cacheDirectory`, each in a file of its own that is named for what it is of, so that pushes
 * beside each other do not lose what the other keeps. A wrong one is harmless: no file is made of other bytes. As for
 * digests, nothing is kept where that would change what is pushed: in the directory `root`, where there is one.
 */
export function knownUploads(cacheDirectory: string, root?: string): KnownUploads {
  const folder = join(cacheDirectory, 'uploads');
  const at = (key: string): string => join(folder, toHex(sha256(utf8(key))));
  return {
    find: (key) =>
      attempt(() => {
        if (statSync(at(key)).size !== idLength) return undefined;
        return readFileSync(at(key), 'latin1');
      }),
    remember: (key, id) =>
      attempt(() => {
        if (root !== undefined) requireOutside(folder, root);
        makeFolders(cacheDirectory, folder);
        prune(folder);
        replace(folder, at(key), Buffer.from(id, 'latin1'));
      }),
    forget: (key) => attempt(() => rmSync(at(key), { force: true })),
  };
}

function prune(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).mtimeMs < Date.now() - keptMilliseconds) rmSync(path, { force: true });
  }
}

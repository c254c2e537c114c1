import { randomUUID } from 'node:crypto';
import { statfs, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode } from '../../runtime/file-error.ts';
import type { StorageHealth } from '../STORAGE.ts';

/**
 * Room, and whether a draft can be written now. Asked often, it looks at most once a second. `onFailure` is called when
 * it can't.
 */
export function localHealth(root: string, draftDirectory: string, onFailure: () => void): () => Promise<StorageHealth> {
  let last: { readonly at: number; readonly health: Promise<StorageHealth> } | undefined;
  return () => {
    const now = performance.now();
    if (last === undefined || now - last.at > 1000) last = { at: now, health: look(root, draftDirectory) };
    last.health.then(({ healthy }) => healthy || onFailure());
    return last.health;
  };
}

async function look(root: string, draftDirectory: string): Promise<StorageHealth> {
  const room = await statfs(root).then(
    ({ bavail, blocks, bsize }) => ({ freeBytes: bavail * bsize, totalBytes: blocks * bsize }),
    () => ({ freeBytes: null, totalBytes: null }),
  );
  const probe = join(draftDirectory, `probe-${randomUUID()}`);
  try {
    await writeFile(probe, 'probe', { flag: 'wx', mode: 0o600 });
    return { healthy: true, detail: 'ok', ...room };
  } catch (error) {
    const code = errnoCode(error);
    if (code === 'ENOSPC' || code === 'EDQUOT')
      return {
        healthy: false,
        full: true,
        detail: `there is no room in ${draftDirectory}: nothing can be stored, and reads continue`,
        ...room,
      };
    return { healthy: false, detail: `cannot write in ${draftDirectory}: ${code ?? String(error)}`, ...room };
  } finally {
    await unlink(probe).catch(() => undefined);
  }
}

import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from './durable-directory.ts';

/** What is beside a file while its next bytes are written. */
const draftSuffix = '.draft';

/**
 * Gives `path` these bytes in one step: whoever looks finds the old ones or the new ones, also after a power cut. What
 * is there is replaced, with the mode. Throws what the system or the source says, and then nothing is left beside it.
 */
export async function replaceFile(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  { mode }: { readonly mode: number },
): Promise<void> {
  const draft = `${path}.${randomUUID()}${draftSuffix}`;
  try {
    const handle = await open(draft, 'wx', mode);
    try {
      for await (const chunk of chunks) await handle.writeFile(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Whether a file has the name of one that was left by a process that died while it replaced a file. */
export function isReplacementDraft(name: string): boolean {
  return /\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.draft$/.test(name);
}

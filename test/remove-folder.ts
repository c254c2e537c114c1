import { rm } from 'node:fs/promises';

/**
 * With all that is in it, also while somebody still writes there: a store that is closed waits two seconds for what it
 * is settling, and on a busy machine more comes after that.
 */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
}

import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes the names in a directory as they are now be found after a power cut. Throws what the system says. */
export async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path, 'r');
  await handle.sync();
}

/** Makes a directory and what is missing above it, each durable in its parent. Whether it had to be made. */
export async function makeDurableDirectory(path: string, mode: number): Promise<boolean> {
  const first = await mkdir(path, { recursive: true, mode });
  for (let made = path; first !== undefined; made = dirname(made)) {
    await syncDirectory(dirname(made));
    if (made === first) break;
  }
  return first !== undefined;
}

import { unlink } from 'node:fs/promises';
import { createUnlinkThread } from './unlink-thread.ts';

/**
 * Unlinks files below `root`: many at once on a thread of their own. Rejects as `unlink` of `node:fs/promises`, but not
 * always for a file that is not there.
 */
export function objectUnlinker(root: string): (path: string) => Promise<void> {
  const thread = createUnlinkThread({ root });
  let unlinking = 0;
  let manyUntil = 0;
  return async (path) => {
    unlinking += 1;
    try {
      const now = performance.now();
      if (unlinking > manyUnlinking) manyUntil = now + manyMilliseconds;
      if (now < manyUntil && (await thread.unlink(path)) === true) return;
      // Who is told why it fails is told by this one.
      await unlink(path);
    } finally {
      unlinking -= 1;
    }
  };
}

/** With more than these at once, and for a while after, one thread for all of them is faster than the pool. */
const manyUnlinking = 8;
const manyMilliseconds = 1_000;

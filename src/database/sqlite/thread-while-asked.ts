import { databaseUnavailable } from '../failure.ts';
import type { DatabaseThread } from './thread.ts';

/** A thread that is there while something is asked of it, and takes no memory afterwards. */
export function threadWhileAsked(create: () => DatabaseThread): DatabaseThread {
  let thread: DatabaseThread | undefined;
  let asked = 0;
  let ending: Promise<void> = Promise.resolve();
  let closed = false;

  return {
    async call(task, onProgress) {
      if (closed) throw databaseUnavailable('The database is closed.');
      thread ??= create();
      const mine = thread;
      asked += 1;
      try {
        return await mine.call(task, onProgress);
      } finally {
        asked -= 1;
        if (asked === 0 && !closed) {
          thread = undefined;
          const before = ending;
          ending = mine.close().then(() => before);
        }
      }
    },
    async close() {
      closed = true;
      await thread?.close();
      await ending;
    },
  };
}

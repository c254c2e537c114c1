import { setImmediate as turn } from 'node:timers/promises';

/** Where short files are read. */
export interface ReadPace {
  /** Runs the one or the other, which do the same: on this thread, or on others. */
  read<T>(here: () => T, elsewhere: () => Promise<T>): Promise<T>;
}

/** A read that took longer has waited for something. */
const slowMilliseconds = 4;
const readsElsewhere = 64;
/** So long nothing else runs on this thread. */
const stretchMilliseconds = 10;

/**
 * A short file that the system has in memory is read on this thread, since each way to another and back takes longer
 * than the read. Where one waits for a disk or a network, those after it are read on other threads, beside each other,
 * until one is tried here again. `now` is in milliseconds.
 */
export function createReadPace(now: () => number = () => performance.now()): ReadPace {
  let elsewhereLeft = 0;
  let begunAt = now();
  return {
    async read(here, elsewhere) {
      if (elsewhereLeft > 0) {
        elsewhereLeft -= 1;
        return await elsewhere();
      }
      if (now() - begunAt > stretchMilliseconds) {
        await turn();
        begunAt = now();
      }
      const before = now();
      try {
        return here();
      } finally {
        if (now() - before > slowMilliseconds) elsewhereLeft = readsElsewhere;
      }
    },
  };
}

import { cancelled, throwIfStopped } from '../../runtime/stop.ts';

/** A number of places; whoever finds none waits for its turn, or until it is stopped. */
export interface Slots {
  /** Resolves to what gives the place back. */
  take(signal?: AbortSignal): Promise<() => void>;
}

export function createSlots(count: number): Slots {
  let free = count;
  const waiting = new Set<() => void>();

  function give(): void {
    const [next] = waiting;
    if (next === undefined) free += 1;
    else {
      waiting.delete(next);
      next();
    }
  }

  function turn(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onTurn = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = (): void => {
        waiting.delete(onTurn);
        reject(cancelled(signal!));
      };
      waiting.add(onTurn);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  return {
    async take(signal) {
      throwIfStopped(signal);
      if (free > 0) free -= 1;
      else await turn(signal);
      let given = false;
      return () => {
        if (!given) give();
        given = true;
      };
    },
  };
}

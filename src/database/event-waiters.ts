/** Those who wait for the log to grow. */
export interface EventWaiters {
  wait(since: number, milliseconds: number, signal?: AbortSignal): Promise<number>;
  /** The log has reached this sequence. */
  reached(sequence: number): void;
  /** Everybody's waiting ends. */
  close(): void;
}

interface Waiter {
  readonly since: number;
  readonly resolve: (sequence: number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * `lastSequence` is asked when a wait begins, and while anybody waits every `pollMilliseconds`, for the commits of
 * other processes.
 */
export function createEventWaiters(lastSequence: () => Promise<number>, pollMilliseconds: number): EventWaiters {
  const waiters = new Set<Waiter>();
  let known = 0;
  let polling: NodeJS.Timeout | undefined;

  const reached = (sequence: number): void => {
    if (sequence <= known) return;
    known = sequence;
    for (const waiter of waiters) if (known > waiter.since) waiter.resolve(known);
  };

  const poll = (): void => {
    if (polling !== undefined) return;
    const timer = setTimeout(async () => {
      try {
        reached(await lastSequence());
      } catch (error) {
        for (const waiter of waiters) waiter.reject(error);
      }
      if (polling !== timer) return;
      polling = undefined;
      if (waiters.size > 0) poll();
    }, pollMilliseconds);
    polling = timer;
  };

  const waitLonger = (since: number, milliseconds: number, signal: AbortSignal | undefined): Promise<number> =>
    new Promise((resolve, reject) => {
      const end = (): void => {
        waiters.delete(waiter);
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
        if (waiters.size === 0) {
          clearTimeout(polling);
          polling = undefined;
        }
      };
      const waiter: Waiter = {
        since,
        resolve(sequence) {
          end();
          resolve(sequence);
        },
        reject(error) {
          end();
          reject(error);
        },
      };
      const giveUp = (): void => waiter.resolve(known);
      const timer = setTimeout(giveUp, milliseconds);
      signal?.addEventListener('abort', giveUp, { once: true });
      waiters.add(waiter);
      poll();
    });

  return {
    async wait(since, milliseconds, signal) {
      reached(await lastSequence());
      if (known > since || milliseconds <= 0 || signal?.aborted === true) return known;
      return waitLonger(since, milliseconds, signal);
    },
    reached,
    close() {
      for (const waiter of waiters) waiter.resolve(known);
    },
  };
}

import { cancelled, throwIfStopped } from './stop.ts';

/** At most this many at once; whoever finds no place waits for its turn, or until it is stopped. */
export interface Limit {
  /** Resolves to what gives the place back. Errors: `cancelled`. */
  take(signal?: AbortSignal): Promise<() => void>;
  /** Works in a place, and gives it back whatever comes of the work. */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function createLimit(maximum: number): Limit {
  let free = maximum;
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

  async function take(signal?: AbortSignal): Promise<() => void> {
    throwIfStopped(signal);
    if (free > 0) free -= 1;
    else await turn(signal);
    let given = false;
    return () => {
      if (!given) give();
      given = true;
    };
  }

  return {
    take,
    async run(work, signal) {
      const giveBack = await take(signal);
      try {
        return await work();
      } finally {
        giveBack();
      }
    },
  };
}

/**
 * Works on every item, at most `maximum` at a time, each begun in the order of the items; one more is taken ahead. The
 * first failure, of the work or of the items, stops the taking of new ones and is thrown when nothing is running any
 * more.
 */
export async function forEachLimited<T>(
  items: Iterable<T> | AsyncIterable<T>,
  maximum: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const limit = createLimit(maximum);
  const running = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown): void => {
    failure ??= { error };
  };
  try {
    for await (const item of items) {
      const giveBack = await limit.take();
      if (failure !== undefined) break;
      const task: Promise<void> = work(item)
        .catch(fail)
        .finally(() => {
          running.delete(task);
          giveBack();
        });
      running.add(task);
    }
  } catch (error) {
    fail(error);
  }
  await Promise.all(running);
  if (failure !== undefined) throw failure.error;
}

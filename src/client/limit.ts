/** Runs work with at most so many at a time, in the order in which it was asked for. */
export type Limit = <T>(work: () => Promise<T>) => Promise<T>;

export function createLimit(maximum: number): Limit {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= maximum) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

/** Works on every item, so many at a time; the first failure stops the taking of new ones and is thrown when the rest have ended. */
export async function forEachLimited<T>(
  items: Iterable<T> | AsyncIterable<T>,
  maximum: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let failed: { readonly error: unknown } | undefined;
  for await (const item of items) {
    if (failed !== undefined) break;
    const task: Promise<void> = work(item).then(
      () => void running.delete(task),
      (error: unknown) => {
        running.delete(task);
        failed ??= { error };
      },
    );
    running.add(task);
    if (running.size >= maximum) await Promise.race(running);
  }
  await Promise.all(running);
  if (failed !== undefined) throw failed.error;
}

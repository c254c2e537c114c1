/** Runs `step` on every item, at most `width` at a time; when it rejects, nothing is running any more. */
export async function eachInParallel<T>(items: Iterable<T>, width: number, step: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  let failed = false;
  const lanes = Array.from({ length: width }, async () => {
    for (let next = queue.next(); next.done !== true && !failed; next = queue.next())
      await step(next.value).catch((error: unknown) => {
        failed = true;
        throw error;
      });
  });
  const rejected = (await Promise.allSettled(lanes)).find((lane) => lane.status === 'rejected');
  if (rejected !== undefined) throw rejected.reason;
}

/** Lets bytes through no faster than asked for, on average: what was read sets when the next may start. */
export function createPace(bytesPerSecond: number | undefined): (bytes: number, signal?: AbortSignal) => Promise<void> {
  let free = performance.now();
  return async (bytes, signal) => {
    if (bytesPerSecond === undefined) return;
    const wait = free - performance.now();
    free = Math.max(free, performance.now()) + (bytes / bytesPerSecond) * 1000;
    if (wait <= 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => reject(signal!.reason);
    const timer = setTimeout(resolve, wait);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
  };
}

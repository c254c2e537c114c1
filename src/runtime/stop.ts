import { ArtifactstoreError } from '../kernel/error.ts';

export function cancelled(signal: AbortSignal): ArtifactstoreError {
  return new ArtifactstoreError('cancelled', 'The operation was cancelled', { cause: signal.reason });
}

export function throwIfStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cancelled(signal);
}

/**
 * The source, ended with `cancelled` as soon as `signal` says so, even while the source is waited for. The source is
 * told to release what it holds, and not waited for: it may hang.
 */
export function stoppable(source: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  return signal === undefined ? source : stoppableChunks(source, signal);
}

async function* stoppableChunks(source: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let stop: (() => void) | undefined;
  const onAbort = (): void => stop?.();
  signal.addEventListener('abort', onAbort);
  let ended = false;
  try {
    while (true) {
      throwIfStopped(signal);
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        stop = (): void => reject(cancelled(signal));
        iterator.next().then(resolve, (error: unknown) => {
          ended = true;
          reject(error);
        });
      });
      if (next.done) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    if (!ended) iterator.return?.().then(undefined, () => undefined);
  }
}

/** What comes of the work, or `cancelled` as soon as `signal` says so. The work is not stopped: it may be shared. */
export async function unlessStopped<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work;
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(cancelled(signal));
  signal.addEventListener('abort', stop);
  try {
    if (signal.aborted) stop();
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

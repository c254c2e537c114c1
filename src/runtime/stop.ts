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

import { ArtifactstoreError } from '../kernel/error.ts';

export interface Stop extends Disposable {
  readonly signal: AbortSignal;
  /** Resolves at the first signal. */
  readonly asked: Promise<void>;
}

/**
 * Turns Ctrl-C, SIGTERM and a closed terminal into an AbortSignal, once; a second one ends the process where it stands.
 */
export function stopOnSignal(): Stop {
  const controller = new AbortController();
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const listener = (): void => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new ArtifactstoreError('cancelled', 'Stopped.'));
    resolve();
  };
  for (const name of names) process.on(name, listener);
  return {
    signal: controller.signal,
    asked,
    [Symbol.dispose]: () => {
      for (const name of names) process.off(name, listener);
    },
  };
}

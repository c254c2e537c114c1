import cluster from 'node:cluster';
import { type ErrorRecord, isArtifactstoreError, toErrorRecord } from '../kernel/error.ts';

/** What the first process of a server and its workers say to each other, beside the metrics. */
export type WorkerMessage = { readonly kind: 'stop' } | { readonly kind: 'failed'; readonly error: ErrorRecord };

/** In a worker: resolves when the first process asks it to stop, or is gone. Anywhere else, never. */
export function parentAsksToStop(): Promise<void> {
  if (!cluster.isWorker) return new Promise(() => undefined);
  return new Promise((resolve) => {
    process.on('message', (message: WorkerMessage) => {
      if (message.kind === 'stop') resolve();
    });
    process.once('disconnect', resolve);
    if (!process.connected) resolve();
  });
}

/** In a worker: leaves an error to the first process, which says it once for all. False when it can't be left there. */
export function tellParent(error: unknown): Promise<boolean> {
  if (!cluster.isWorker || !process.connected || !isArtifactstoreError(error)) return Promise.resolve(false);
  const message: WorkerMessage = { kind: 'failed', error: toErrorRecord(error) };
  return new Promise((resolve) => process.send!(message, undefined, undefined, (failure) => resolve(failure === null)));
}

/** In a worker: the channel to the first process would keep this one alive. */
export function leaveParent(): void {
  if (cluster.isWorker && process.connected) process.disconnect();
}

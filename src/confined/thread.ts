import { parentPort, workerData } from 'node:worker_threads';
import type { ThreadAnswer, ThreadData } from './messages.ts';

/** The thread's side of `lane.ts`: the module's `work`, input by input. */
const { work }: { readonly work: (input: unknown) => unknown } = await import((workerData as ThreadData).module);
const post = (answer: ThreadAnswer): void => parentPort?.postMessage(answer);

parentPort?.on('message', (input: unknown) => {
  try {
    post({ kind: 'output', output: work(input) });
  } catch (error) {
    post({ kind: 'failed', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
post({ kind: 'ready' });

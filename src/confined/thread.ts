import { parentPort, workerData } from 'node:worker_threads';
import { giveBackMemory } from '../runtime/heap.ts';
import { giveWay } from './give-way.ts';
import type { ThreadAnswer, ThreadData } from './messages.ts';

/** From here on what an input took and the thread no longer uses is given back: it may be most of its bound. */
const largeHeapBytes = 25_165_824;

const { module, givesWay } = workerData as ThreadData;
/** The thread's side of `lane.ts`: the module's `work`, input by input. */
const { work }: { readonly work: (input: unknown) => unknown } = await import(module);
if (givesWay) giveWay();
giveBackMemory(largeHeapBytes);
const post = (answer: ThreadAnswer): void => parentPort?.postMessage(answer);

parentPort?.on('message', (input: unknown) => {
  try {
    post({ kind: 'output', output: work(input) });
  } catch (error) {
    post({ kind: 'failed', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
post({ kind: 'ready' });

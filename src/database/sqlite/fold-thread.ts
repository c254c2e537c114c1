import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import { moduleUrl } from '../../runtime/module-url.ts';
import { threadArguments } from '../../runtime/private-memory.ts';
import { databaseUnavailable, fromFailure } from '../failure.ts';
import type { FoldedChunk } from '../replay.ts';
import type { Folded } from './fold-messages.ts';
import type { RowWrites } from './row-writes.ts';

/**
 * As `foldLog`, on a thread of its own with a connection of its own: the log of the last commit, which nobody may
 * change meanwhile. Errors: those of `foldLog`; `database_unavailable` where the thread ends by itself.
 */
export async function* foldOnThread(path: string): AsyncGenerator<FoldedChunk<readonly RowWrites[]>> {
  const worker = new Worker(moduleUrl('./fold-worker.ts', import.meta.url), {
    workerData: { path },
    execArgv: threadArguments,
    resourceLimits,
  });
  try {
    for await (const [folded] of on(worker, 'message', { close: ['exit'] }) as AsyncIterable<[Folded]>) {
      if (folded.kind === 'end') return;
      if (folded.kind === 'failure') throw fromFailure(folded.failure);
      worker.postMessage('taken');
      yield folded;
    }
    throw databaseUnavailable('The thread that folds the log ended too soon; nothing was changed.');
  } finally {
    // It has said something, or has ended: only while a thread starts can the engine break down when it is terminated.
    await worker.terminate();
  }
}

/** What a chunk makes lives until it is sent: in less room it is copied again and again. */
const resourceLimits = { maxYoungGenerationSizeMb: 48 };

import { Worker } from 'node:worker_threads';
import { type ArtifactstoreError, fromErrorRecord } from '../../kernel/error.ts';
import { moduleUrl } from '../../runtime/module-url.ts';
import { threadArguments } from '../../runtime/private-memory.ts';
import type { PlaceAnswer, PlaceRequest, PlaceThreadData } from './place-messages.ts';

/** The main thread's side of a thread that places files. */
export interface PlaceThread {
  /** How many requests are under way. */
  readonly waiting: number;
  /** Resolves to what was done, also where an error ended it. */
  call(
    request: PlaceRequest,
  ): Promise<{ readonly there: readonly boolean[]; readonly placed: number; readonly error?: ArtifactstoreError }>;
  /** Ends it, when what is under way is done. */
  close(): Promise<void>;
}

/** It keeps the process alive only while it works. */
export function startPlaceThread(data: PlaceThreadData): PlaceThread {
  const worker = new Worker(moduleUrl('./place-worker.ts', import.meta.url), {
    workerData: data,
    execArgv: threadArguments,
    resourceLimits,
  });
  const pending: ((answer: PlaceAnswer) => void)[] = [];
  let ended: PlaceAnswer | undefined;

  const end = (cause: unknown): void => {
    ended ??= { there: [], placed: 0, error: { code: 'internal', message: `The thread that writes files ended: ${String(cause)}.` } };
    for (const answer of pending.splice(0)) answer(ended);
  };
  worker.on('message', (answer: PlaceAnswer) => {
    pending.shift()?.(answer);
    if (pending.length === 0) worker.unref();
  });
  worker.on('error', end);
  worker.on('messageerror', end);
  const exited = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      end(`it exited with ${code}`);
      resolve();
    });
  });
  worker.unref();

  return {
    get waiting() {
      return pending.length;
    },
    async call(request) {
      const { error, ...done } =
        ended ??
        (await new Promise<PlaceAnswer>((resolve) => {
          worker.ref();
          pending.push(resolve);
          worker.postMessage(request, request.kind === 'place' ? [request.memory] : []);
        }));
      return error === undefined ? done : { ...done, error: fromErrorRecord(error) };
    },
    async close() {
      if (ended !== undefined) return;
      worker.ref();
      // Not terminated: the engine can break down when a thread that is still starting is.
      worker.postMessage({ kind: 'end' } satisfies PlaceRequest);
      await exited;
    },
  };
}

const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 };

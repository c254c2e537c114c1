import { Worker } from 'node:worker_threads';
import { threadArguments } from '../../runtime/private-memory.ts';
import { databaseUnavailable, fromFailure } from '../failure.ts';
import type { Answer, Request, Task, ThreadData } from './messages.ts';

/** The main thread's side of a database thread. */
export interface DatabaseThread {
  /** Errors: the answer's; `database_unavailable` when the thread ends before it has answered. */
  call(
    task: Task,
    onProgress?: (done: number, total: number) => void,
  ): Promise<{ readonly output: unknown; readonly sequence: number | undefined }>;
  /** Waits for what has been asked, closes the connection and ends the thread. */
  close(): Promise<void>;
}

interface Pending {
  readonly resolve: (answer: { readonly output: unknown; readonly sequence: number | undefined }) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress: ((done: number, total: number) => void) | undefined;
}

interface Running {
  readonly worker: Worker;
  /**
   * By the id of their request, which is free again after its answer. A map that gains and loses entries keeps what was
   * in it until a full collection, once one of its tables is old.
   */
  readonly pending: (Pending | undefined)[];
  readonly free: number[];
  /** How many are pending. */
  count: number;
}

/**
 * Starts the thread at the first call, and again at the next call after it ended. It keeps the process alive only while
 * it works.
 */
export function createDatabaseThread(module: URL, data: ThreadData): DatabaseThread {
  let running: Running | undefined;
  let closed = false;

  const start = (): Running => {
    // Not with the program's own options: some, such as those of `node --eval`, are refused to a file.
    const worker = new Worker(module, { workerData: data, execArgv: threadArguments, resourceLimits });
    const started: Running = { worker, pending: [], free: [], count: 0 };
    const end = (cause: unknown): void => {
      if (running === started) running = undefined;
      const error = databaseUnavailable('The database thread ended before it answered; repeat the request.', cause);
      for (const each of started.pending.splice(0)) each?.reject(error);
    };
    worker.on('message', (message: Answer | readonly Answer[]) => {
      for (const answer of Array.isArray(message) ? (message as readonly Answer[]) : [message as Answer]) settle(started, answer);
    });
    worker.on('messageerror', end);
    worker.on('error', end);
    worker.on('exit', (code) => end(new Error(`the thread ended with code ${code}`)));
    worker.unref();
    return started;
  };

  const call: DatabaseThread['call'] = (task, onProgress) =>
    new Promise((resolve, reject) => {
      if (closed) {
        reject(databaseUnavailable('The database is closed.'));
        return;
      }
      running ??= start();
      const { worker, pending, free } = running;
      const id = free.at(-1) ?? pending.length;
      worker.postMessage({ id, task } satisfies Request, givenAway(task));
      free.pop();
      pending[id] = { resolve, reject, onProgress };
      running.count += 1;
      if (running.count === 1) worker.ref();
    });

  return {
    call,
    async close() {
      if (closed) return;
      const thread = running;
      const last = thread === undefined ? undefined : call({ kind: 'close' });
      closed = true;
      await last?.catch(() => {});
      // It has answered, or has ended: only while a thread starts can the engine break down when it is terminated.
      await thread?.worker.terminate();
    },
  };
}

/** Short bytes are copied: to move them costs more. */
function givenAway(task: Task): ArrayBuffer[] {
  if (task.kind !== 'operation' || typeof task.input !== 'object' || task.input === null) return [];
  const { moved } = task.input as { readonly moved?: readonly Uint8Array[] };
  const buffers: ArrayBuffer[] = [];
  for (const { buffer } of moved ?? []) if (buffer instanceof ArrayBuffer && buffer.byteLength >= movedBytes) buffers.push(buffer);
  return buffers;
}

const movedBytes = 16_384;

function settle(running: Running, answer: Answer): void {
  const { worker, pending, free } = running;
  const waiting = pending[answer.id];
  if (waiting === undefined) return;
  if (answer.kind === 'progress') {
    waiting.onProgress?.(answer.done, answer.total);
    return;
  }
  pending[answer.id] = undefined;
  free.push(answer.id);
  running.count -= 1;
  if (running.count === 0) worker.unref();
  if (answer.kind === 'output') waiting.resolve({ output: answer.output, sequence: answer.sequence });
  else waiting.reject(fromFailure(answer.failure));
}

/** Left alone, what each thread has just made may take 50 MB before it is looked at. */
const resourceLimits = { maxYoungGenerationSizeMb: 16 };

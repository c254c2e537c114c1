import { type ResourceLimits, Worker } from 'node:worker_threads';
import { threadArguments } from './private-memory.ts';

/**
 * A thread that is started by its first request, and ended when it was idle for a while; it keeps the process alive
 * only while it works. One that broke down is not started again.
 */
export interface RestingThread<Request> {
  isBroken(): boolean;
  post(request: Request): void;
  /** Said when no request is under way. */
  rest(): void;
}

export interface RestingThreadOptions<Answer> {
  readonly module: URL;
  readonly data: unknown;
  readonly limits: ResourceLimits;
  onAnswer(answer: Answer): void;
  /** The thread broke down: what is under way has no answer. */
  onBroken(): void;
}

const restMilliseconds = 10_000;

export function createRestingThread<Request, Answer>(options: RestingThreadOptions<Answer>): RestingThread<Request> {
  let worker: Worker | undefined;
  let broken = false;
  let busy = false;
  let resting: NodeJS.Timeout | undefined;

  const start = (): Worker => {
    const started = new Worker(options.module, { workerData: options.data, execArgv: threadArguments, resourceLimits: options.limits });
    const end = (): void => {
      if (worker !== started) return;
      worker = undefined;
      broken = true;
      options.onBroken();
    };
    started.on('message', (answer: Answer) => options.onAnswer(answer));
    started.on('error', end);
    started.on('messageerror', end);
    started.on('exit', end);
    return started;
  };

  const end = (): void => {
    resting = undefined;
    if (busy) return;
    const idle = worker;
    worker = undefined;
    // It has answered: only while a thread starts can the engine break down when it is terminated.
    void idle?.terminate();
  };

  return {
    isBroken: () => broken,
    post(request) {
      busy = true;
      worker ??= start();
      worker.ref();
      worker.postMessage(request);
    },
    rest() {
      busy = false;
      worker?.unref();
      if (resting === undefined) resting = setTimeout(end, restMilliseconds).unref();
      else resting.refresh();
    },
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ArtifactstoreError } from '../kernel/error.ts';
import { moduleUrl } from '../runtime/module-url.ts';
import { threadArguments } from '../runtime/private-memory.ts';
import type { ThreadAnswer, ThreadData } from './messages.ts';

/** What came of an input: the output of `work`, or the bound that the thread was ended for. */
export type LaneOutcome<Output> =
  | { readonly kind: 'done'; readonly output: Output }
  | { readonly kind: 'over'; readonly bound: 'time' | 'memory' };

/**
 * One thread at a time that does one thing after the other, and is killed when it takes too long or too much memory.
 */
export interface Lane<Input, Output> {
  /**
   * Errors: `internal` when `work` threw or the thread ended for no bound of ours; `cancelled` when the lane is closed.
   */
  run(input: Input): Promise<LaneOutcome<Output>>;
  close(): Promise<void>;
}

export interface LaneBounds {
  /**
   * Of the thread's processor time for one input; where Node does not tell it (before 24.6), of time since the thread
   * has it.
   */
  readonly milliseconds: number;
  /** Of the thread's heap, all that it keeps included. */
  readonly heapMebibytes: number;
  /** Whether others of the machine come first, where the system can tell threads apart; no where absent. */
  readonly givesWay?: boolean;
}

interface Task<Input, Output> {
  readonly input: Input;
  readonly resolve: (outcome: LaneOutcome<Output>) => void;
  readonly reject: (error: unknown) => void;
}

interface Thread {
  readonly worker: Worker;
  ready: boolean;
  /** Resolves when it is ready, or has ended. */
  readonly started: Promise<void>;
}

/**
 * On a busy machine a thread may wait for the processor, but its input has at most this many times `milliseconds` by
 * the clock.
 */
const patience = 4;
/** A thread that cannot even load its module is given up after this long. */
const startMilliseconds = 60_000;
/** A thread that nobody needs is ended after this long, with all that it keeps. */
const idleMilliseconds = 60_000;

/**
 * `module` exports `work(input)`; inputs and outputs are values that can be cloned. The thread starts at the first
 * input.
 */
export function createLane<Input, Output>(module: URL, bounds: LaneBounds): Lane<Input, Output> {
  const queue: Task<Input, Output>[] = [];
  const ending = new Set<Promise<unknown>>();
  let thread: Thread | undefined;
  let running: Task<Input, Output> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const start = (): Thread => {
    const worker = new Worker(moduleUrl('./thread.ts', import.meta.url), {
      workerData: { module: module.href, givesWay: bounds.givesWay === true } satisfies ThreadData,
      // Options of the process, such as --input-type, are none of the thread's.
      execArgv: threadArguments,
      resourceLimits: { maxOldGenerationSizeMb: bounds.heapMebibytes, maxYoungGenerationSizeMb: 8 },
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    const started: Thread = { worker, ready: false, started: promise };
    const ended = (cause: unknown): void => {
      if (thread !== started) return;
      const memory = cause instanceof Error && Reflect.get(cause, 'code') === 'ERR_WORKER_OUT_OF_MEMORY';
      drop((task) => {
        if (memory) task.resolve({ kind: 'over', bound: 'memory' });
        else task.reject(new ArtifactstoreError('internal', 'A confined thread ended before it answered.', { cause }));
      });
    };
    worker.on('error', ended);
    worker.on('messageerror', ended);
    worker.on('exit', (code) => {
      resolve();
      ended(new Error(`the thread ended with code ${code}`));
    });
    worker.on('message', (answer: ThreadAnswer) => {
      if (answer.kind === 'ready') resolve();
      if (thread !== started) return;
      if (answer.kind === 'ready') {
        started.ready = true;
        give(started);
      } else settle(answer);
    });
    return started;
  };

  /** The thread is ended, whatever it does; its task is told, and the next one gets another thread. */
  const drop = (tell: (task: Task<Input, Output>) => void): void => {
    const [task, dropped] = [running, thread];
    running = undefined;
    thread = undefined;
    clearTimeout(timer);
    if (dropped !== undefined) {
      const termination = terminate(dropped).finally(() => ending.delete(termination));
      ending.add(termination);
    }
    if (task !== undefined) tell(task);
    next();
  };

  const settle = (answer: Exclude<ThreadAnswer, { readonly kind: 'ready' }>): void => {
    const task = running;
    running = undefined;
    clearTimeout(timer);
    if (answer.kind === 'output') task?.resolve({ kind: 'done', output: answer.output as Output });
    else task?.reject(new ArtifactstoreError('internal', 'A confined thread failed.', { cause: new Error(answer.reason) }));
    next();
  };

  /**
   * When this process was held up, the answer may have come and not been read yet: it is read before the time is
   * judged.
   */
  const after = (milliseconds: number, task: Task<Input, Output>, act: () => void): void => {
    clearTimeout(timer);
    timer = setTimeout(() => setImmediate(() => running === task && act()), milliseconds);
  };

  const give = ({ worker }: Thread): void => {
    const task = running;
    if (task === undefined) return;
    const begun = performance.now();
    const before = processorTime(worker);
    const tooLong = (): void => drop(({ resolve }) => resolve({ kind: 'over', bound: 'time' }));
    const judge = async (): Promise<void> => {
      const left = begun + patience * bounds.milliseconds - performance.now();
      if (left <= 0) return tooLong();
      // The thread may not answer; the clock continues.
      after(left, task, tooLong);
      const [first, last] = await Promise.all([before, processorTime(worker)]);
      if (running !== task) return;
      const used = first === undefined || last === undefined ? bounds.milliseconds : last - first;
      if (used >= bounds.milliseconds) tooLong();
      else after(Math.min(left, bounds.milliseconds - used + 5), task, () => void judge());
    };
    after(bounds.milliseconds, task, () => void judge());
    worker.postMessage(task.input);
  };

  const next = (): void => {
    if (running !== undefined) return;
    running = queue.shift();
    if (running === undefined) {
      if (thread === undefined) return;
      thread.worker.unref();
      timer = setTimeout(() => setImmediate(() => running === undefined && drop(() => undefined)), idleMilliseconds).unref();
      return;
    }
    clearTimeout(timer);
    try {
      thread ??= start();
    } catch (cause) {
      // The system gives no more threads.
      drop(({ reject }) => reject(new ArtifactstoreError('internal', 'A confined thread cannot be started.', { cause })));
      return;
    }
    thread.worker.ref();
    if (thread.ready) give(thread);
    else
      after(startMilliseconds, running, () =>
        drop(({ reject }) => reject(new ArtifactstoreError('internal', 'A confined thread did not start.'))),
      );
  };

  return {
    run: (input) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(cancelled());
        queue.push({ input, resolve, reject });
        next();
      }),
    async close() {
      closed = true;
      for (const { reject } of queue.splice(0)) reject(cancelled());
      drop(({ reject }) => reject(cancelled()));
      clearTimeout(timer);
      await Promise.all(ending);
    },
  };
}

/** The engine can break down when a thread that is still starting is terminated; most are ready within a second. */
async function terminate({ worker, started }: Thread): Promise<void> {
  const late = new AbortController();
  await Promise.race([started, sleep(startMilliseconds, undefined, { signal: late.signal }).catch(() => undefined)]);
  late.abort();
  await worker.terminate();
}

/** Milliseconds; undefined when it cannot be known. */
async function processorTime(worker: Worker): Promise<number | undefined> {
  if (typeof worker.cpuUsage !== 'function') return undefined;
  const usage = await worker.cpuUsage().catch(() => undefined);
  return usage === undefined ? undefined : (usage.user + usage.system) / 1000;
}

function cancelled(): ArtifactstoreError {
  return new ArtifactstoreError('cancelled', 'The server is stopping.');
}

import { Worker } from 'node:worker_threads';
import { ArtifactstoreError, fromErrorRecord } from '../../kernel/error.ts';
import { moduleUrl } from '../../runtime/module-url.ts';
import { threadArguments } from '../../runtime/private-memory.ts';
import type { Digested } from './digester.ts';
import type { HashAnswer, HashRequest } from './hash-messages.ts';

/** A digester on another thread. */
export interface RemoteDigester {
  /** Resolves when the piece has been hashed and may be overwritten. Pieces are hashed in the order given. */
  update(piece: Uint8Array): Promise<void>;
  finish(): Promise<Digested>;
  /** Ends without a result. No update may be under way. */
  forget(): void;
}

export interface HashThreads {
  /** On the thread with the fewest files. Algorithms must be known ones. */
  begin(algorithms: readonly string[]): RemoteDigester;
  /** Ends them. What waits for an answer is rejected with `internal`. */
  close(): Promise<void>;
}

/**
 * At most `count` threads, each started when the ones before it are busy, and kept; they keep the process alive only
 * while they work.
 */
export function startHashThreads(count: number): HashThreads {
  const threads = new Set<HashThread>();
  return {
    begin(algorithms) {
      for (const thread of threads) if (thread.ended()) threads.delete(thread);
      let chosen = [...threads].sort((a, b) => a.streams() - b.streams())[0];
      if (chosen === undefined || (chosen.streams() > 0 && threads.size < count)) {
        chosen = startHashThread();
        threads.add(chosen);
      }
      return chosen.begin(algorithms);
    },
    async close() {
      await Promise.all([...threads].map((thread) => thread.close()));
      threads.clear();
    },
  };
}

interface HashThread {
  streams(): number;
  ended(): boolean;
  begin(algorithms: readonly string[]): RemoteDigester;
  close(): Promise<void>;
}

interface Waiter {
  readonly resolve: (digested: Digested | undefined) => void;
  readonly reject: (error: unknown) => void;
}

function startHashThread(): HashThread {
  // Options of the process, such as --input-type, are none of the thread's.
  const worker = new Worker(moduleUrl('./hash-worker.ts', import.meta.url), { execArgv: threadArguments });
  // Answers of one stream come in the order of its questions.
  const waiting = new Map<number, Waiter[]>();
  let asked = 0;
  let lastStream = 0;
  let failure: unknown;

  const end = (cause: unknown): void => {
    failure ??= new ArtifactstoreError('internal', 'The hashing thread ended before it answered', { cause });
    for (const waiters of waiting.values()) for (const { reject } of waiters) reject(failure);
    waiting.clear();
  };
  worker.on('error', end);
  worker.on('messageerror', end);
  const exited = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      end(new Error(`exit code ${code}`));
      resolve();
    });
  });
  worker.on('message', (answer: HashAnswer) => {
    const waiter = waiting.get(answer.stream)?.shift();
    // A file whose next bytes are not there yet does not keep the process alive.
    if (waiter !== undefined) asked -= 1;
    if (asked === 0) worker.unref();
    if (answer.kind === 'failed') waiter?.reject(fromErrorRecord(answer.error));
    else waiter?.resolve(answer.kind === 'finished' ? answer.digested : undefined);
  });
  worker.unref();

  const post = (request: HashRequest): void => worker.postMessage(request);

  function begin(algorithms: readonly string[]): RemoteDigester {
    lastStream += 1;
    const stream = lastStream;
    const waiters: Waiter[] = [];
    waiting.set(stream, waiters);
    post({ kind: 'begin', stream, algorithms });

    const ask = (request: HashRequest): Promise<Digested | undefined> =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure);
        waiters.push({ resolve, reject });
        if (asked === 0) worker.ref();
        asked += 1;
        post(request);
      });
    const leave = (): void => void waiting.delete(stream);

    return {
      async update(piece) {
        const memory = sharedMemory(piece);
        await ask({ kind: 'update', stream, memory: memory.buffer, offset: memory.byteOffset, length: memory.byteLength });
      },
      async finish() {
        try {
          return (await ask({ kind: 'finish', stream }))!;
        } finally {
          leave();
        }
      },
      forget() {
        leave();
        post({ kind: 'forget', stream });
      },
    };
  }

  return {
    streams: () => waiting.size,
    ended: () => failure !== undefined,
    begin,
    async close() {
      end(new Error('the hashing threads were closed'));
      worker.ref();
      // Not terminated: the engine can break down when a thread that is still starting is.
      post({ kind: 'end' });
      await exited;
    },
  };
}

function sharedMemory(piece: Uint8Array): Uint8Array<SharedArrayBuffer> {
  if (piece.buffer instanceof SharedArrayBuffer) return piece as Uint8Array<SharedArrayBuffer>;
  const copy = new Uint8Array(new SharedArrayBuffer(piece.byteLength));
  copy.set(piece);
  return copy;
}

import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { giveBackMemory } from '../../runtime/heap.ts';
import type { Operations } from '../DATABASE.ts';
import { toFailure } from '../failure.ts';
import type { Answer, Request, ThreadData } from './messages.ts';

/** A database thread's side of its channel: requests in, answers out. */
export interface RequestPort {
  readonly data: ThreadData;
  readonly operations: Operations;
  /** The next request that has arrived already, without waiting. */
  next(): Request | undefined;
  /** All that have arrived and were not taken. Whoever takes some of them removes them. */
  arrived(): Request[];
  /** Gives a request back: it is the next again. */
  putBack(request: Request): void;
  answer(answer: Answer): void;
  /** In one message: it takes the other thread less time than one for each. */
  answerAll(answers: readonly Answer[]): void;
  fail(id: number, error: unknown): void;
}

/**
 * Calls `work` whenever there are requests, and not again before it is done with them. Returns when the operations are
 * loaded.
 */
export async function serveRequests(work: (port: RequestPort) => Promise<void>): Promise<void> {
  const channel = parentPort as MessagePort;
  const data = workerData as ThreadData;
  const { operations } = (await import(data.operations)) as { readonly operations?: Operations };
  if (operations === undefined) throw new TypeError(`${data.operations} exports no "operations"`);

  giveBackMemory(largeHeapBytes);

  const arrived: Request[] = [];
  const port: RequestPort = {
    data,
    operations,
    next: () => arrived.shift() ?? (receiveMessageOnPort(channel)?.message as Request | undefined),
    arrived() {
      for (let next = receiveMessageOnPort(channel); next !== undefined; next = receiveMessageOnPort(channel))
        arrived.push(next.message as Request);
      return arrived;
    },
    putBack: (request) => {
      arrived.unshift(request);
    },
    answer(answer) {
      try {
        channel.postMessage(answer, ownMemory(answer));
      } catch (error) {
        // An output that cannot be cloned: the operation is done, its answer is lost.
        port.fail(answer.id, error);
      }
    },
    answerAll(answers) {
      try {
        channel.postMessage(answers, answers.flatMap(ownMemory));
      } catch {
        for (const answer of answers) port.answer(answer);
      }
    },
    fail(id, error) {
      channel.postMessage({ id, kind: 'failure', failure: toFailure(error) } satisfies Answer);
    },
  };

  let working = false;
  channel.on('message', async (request: Request) => {
    arrived.push(request);
    if (working) return;
    working = true;
    await work(port);
    working = false;
  });
}

/** Long bytes are moved to the other thread, not copied: an operation is done with its output when it gives it. */
function ownMemory(answer: Answer): ArrayBuffer[] {
  if (answer.kind !== 'output' || typeof answer.output !== 'object' || answer.output === null) return [];
  const { bytes, moved } = answer.output as { readonly bytes?: unknown; readonly moved?: unknown };
  return [bytes, ...(Array.isArray(moved) ? moved : [])].flatMap((value: unknown) =>
    value instanceof Uint8Array && value.buffer instanceof ArrayBuffer && value.buffer.byteLength >= movedBytes ? [value.buffer] : [],
  );
}

/** Above what buffers of several owners are cut from. */
const movedBytes = 131_072;

/** From here on what the thread no longer uses is given back. */
const largeHeapBytes = 41_943_040;

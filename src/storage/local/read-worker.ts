import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { memoryBytes, type ReadAnswer, type ReadRequest, type ReadThreadData } from './read-messages.ts';

// The thread that reads small files, many in one message: it may wait for a disk, nobody waits for it who has another
// way.

const { flags, maximumBytes } = workerData as ReadThreadData;
const channel = parentPort as MessagePort;

channel.on('message', (paths: ReadRequest) => {
  const opened = paths.map(open);
  try {
    let end = 0;
    const starts = opened.map(({ length }) => {
      const left = memoryBytes - (end % memoryBytes);
      const start = length > left ? end + left : end;
      end = start + Math.max(length, 0);
      return start;
    });
    const count = Math.ceil(end / memoryBytes);
    const memories = Array.from({ length: count }, (_, index) => new ArrayBuffer(Math.min(memoryBytes, end - index * memoryBytes)));
    const lengths = opened.map((file, index) => {
      const start = starts[index]!;
      return readWhole(file, memories[Math.floor(start / memoryBytes)], start % memoryBytes) ? file.length : -1;
    });
    channel.postMessage({ memories, starts, lengths } satisfies ReadAnswer, memories);
  } finally {
    for (const { descriptor } of opened) if (descriptor !== undefined) closeSync(descriptor);
  }
});

interface Opened {
  readonly descriptor: number | undefined;
  /** -1 when it is not to be read. */
  readonly length: number;
}

function open(path: string): Opened {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, flags);
    const status = fstatSync(descriptor);
    return { descriptor, length: status.isFile() && status.size <= maximumBytes ? status.size : -1 };
  } catch {
    // Whoever asked tries again in its own way, and finds the reason there.
    return { descriptor, length: -1 };
  }
}

function readWhole({ descriptor, length }: Opened, memory: ArrayBuffer | undefined, offset: number): boolean {
  if (descriptor === undefined || length < 0) return false;
  if (memory === undefined) return length === 0;
  try {
    for (let taken = 0; taken < length; ) {
      const count = readSync(descriptor, new Uint8Array(memory, offset + taken, length - taken), 0, length - taken, taken);
      if (count === 0) return false;
      taken += count;
    }
    return true;
  } catch {
    return false;
  }
}

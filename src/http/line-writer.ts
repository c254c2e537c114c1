import { constants, fstatSync, openSync, writeSync, write as writeTo } from 'node:fs';

/**
 * Writes lines to a descriptor without ever making its callers wait: not for a pipe whose reader has stopped, not for a
 * full disk. Lines that cannot be written are dropped and counted. It keeps at most `maximumBytes` of them in memory.
 */
export interface LineWriter {
  write(line: string): void;
  /** Lines that nobody will see. */
  dropped(): number;
  /** Waits until everything is written or dropped, but not longer than this. */
  flush(milliseconds: number): Promise<void>;
  /** For the end of the process: writes what can be written now. */
  flushNow(): void;
}

export interface LineWriterOptions {
  readonly maximumBytes?: number;
  /** Told how many lines were dropped, once one was written again. */
  readonly onResumed?: (dropped: number) => void;
}

const defaultMaximumBytes = 1_048_576;
/** What the system writes to a pipe as a whole or not at all, so lines of several processes do not mix. */
const pipeBytes = 4_096;
const fileBytes = 65_536;
/** Lines that come so soon after a write go out together: to hand one to the system takes as long as a short answer. */
const gatherMilliseconds = 5;
const shortestPause = 10;
const longestPause = 250;
const lineEnd = 0x0a;

export function createLineWriter(descriptor: number, options: LineWriterOptions = {}): LineWriter {
  const { descriptor: target, isFile } = withoutWaiting(descriptor);
  const maximumBytes = options.maximumBytes ?? defaultMaximumBytes;
  const batchBytes = isFile ? fileBytes : pipeBytes;
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  /** Taken from `waiting`: some lines that are written together, and how much of them was. */
  let batch: { readonly bytes: Buffer; readonly lines: number } | undefined;
  let done = 0;
  /** A part of a line was written and its rest was dropped. */
  let torn = false;
  let dropped = 0;
  let told = 0;
  let pause = shortestPause;
  let busy = false;
  let inFlight = false;
  let gathering: NodeJS.Timeout | undefined;
  /** Whether the last write worked. */
  let sound = true;
  const idle = new Set<() => void>();

  const nextBatch = (): boolean => {
    let count = 0;
    let length = torn ? 1 : 0;
    while (count < waiting.length && (count === 0 || length + waiting[count]!.length <= batchBytes)) length += waiting[count++]!.length;
    if (count === 0) return false;
    const lines = waiting.slice(0, count);
    waiting = waiting.slice(count);
    if (torn) waitingBytes += 1;
    batch = { bytes: Buffer.concat(torn ? [Buffer.from([lineEnd]), ...lines] : lines), lines: count };
    done = 0;
    return true;
  };

  const written = (length: number): void => {
    done += length;
    waitingBytes -= length;
    pause = shortestPause;
    if (done < batch!.bytes.length) return;
    torn = false;
    sound = true;
    batch = undefined;
  };

  const failed = (): void => {
    const { bytes, lines } = batch!;
    const whole = bytes.subarray(0, done).reduce((count, byte) => (byte === lineEnd ? count + 1 : count), torn && done > 0 ? -1 : 0);
    dropped += lines - whole;
    waitingBytes -= bytes.length - done;
    if (done > 0) torn = bytes[done - 1] !== lineEnd;
    sound = false;
    batch = undefined;
  };

  const tellOfDropped = (): void => {
    if (!sound || dropped === told) return;
    const count = dropped - told;
    told = dropped;
    options.onResumed?.(count);
  };

  const step = (): void => {
    if (waiting.length === 0 && batch === undefined) tellOfDropped();
    if (batch === undefined && !nextBatch()) {
      busy = false;
      for (const resolve of idle) resolve();
      idle.clear();
      return;
    }
    inFlight = true;
    writeTo(target, batch!.bytes, done, (error, length) => {
      inFlight = false;
      if (error === null) written(length);
      else if (error.code === 'EAGAIN') {
        pause = Math.min(longestPause, pause * 2);
        setTimeout(step, pause).unref();
        return;
      } else failed();
      if (idle.size > 0 || waitingBytes >= batchBytes) step();
      else gathering = setTimeout(stopGathering, gatherMilliseconds).unref();
    });
  };

  const stopGathering = (): void => {
    if (gathering === undefined) return;
    clearTimeout(gathering);
    gathering = undefined;
    step();
  };

  return {
    write(line) {
      const bytes = Buffer.from(line);
      if (waitingBytes + bytes.length > maximumBytes) {
        dropped += 1;
        return;
      }
      waiting.push(bytes);
      waitingBytes += bytes.length;
      // Lines that come in one turn of the loop go out together.
      if (busy) {
        if (waitingBytes >= batchBytes) stopGathering();
        return;
      }
      busy = true;
      setImmediate(step);
    },
    dropped: () => dropped,
    async flush(milliseconds) {
      if (!busy) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      idle.add(resolve);
      stopGathering();
      const timer = setTimeout(resolve, milliseconds);
      await promise;
      clearTimeout(timer);
      idle.delete(resolve);
    },
    flushNow() {
      // What a thread writes at this moment is written, and nobody is left to learn how much of it.
      if (inFlight) batch = undefined;
      try {
        while (batch !== undefined || nextBatch()) written(writeSync(target, batch!.bytes, done));
      } catch {
        // Nobody is left who could be told.
      }
    },
  };
}

/**
 * The same pipe or terminal, opened so that a write never waits. Where that cannot be had (a socket, another user's
 * pipe), Node's own stream sets that on the descriptor itself.
 */
function withoutWaiting(descriptor: number): { readonly descriptor: number; readonly isFile: boolean } {
  if (fstatSync(descriptor).isFile()) return { descriptor, isFile: true };
  try {
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return { descriptor: openSync(`/dev/fd/${descriptor}`, O_WRONLY | O_NONBLOCK | O_NOCTTY), isFile: false };
  } catch {
    if (descriptor === 1) void process.stdout;
    return { descriptor, isFile: false };
  }
}

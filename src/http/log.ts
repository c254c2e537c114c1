import { type DestinationStream, type Logger, pino } from 'pino';
import { printableJson } from '../kernel/format/printable.ts';
import { createLineWriter } from './line-writer.ts';

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** Standard output where absent. */
  readonly stream?: DestinationStream;
}

export interface Log {
  readonly logger: Logger;
  /** Lines that could not be written: the disk was full, or whoever reads them has stopped or gone. */
  droppedLines(): number;
  /** Waits a moment for what is not written yet. */
  flush(): Promise<void>;
}

/**
 * The server's log: one JSON object a line, times in UTC. Secrets stay out by construction: headers and queries are
 * never handed to it, and of an error only what is listed here is written. Logging never waits and never fails: what
 * cannot be written is dropped and counted.
 */
export function createLog(options: LogOptions): Log {
  const settings = { level: options.level, base: null, timestamp: timeOfLine, serializers: { err: describeError } };
  if (options.stream !== undefined)
    return { logger: pino(settings, options.stream), droppedLines: () => 0, flush: () => Promise.resolve() };
  const writer = createLineWriter(standardOutput, {
    onResumed: (lines) => logger.warn({ lines }, 'lines of the log could not be written and were dropped'),
  });
  // A terminal may be what reads it, and messages of stores and databases are in it.
  const logger = pino(settings, { write: (line: string) => writer.write(printableJson(line)) });
  process.on('exit', writer.flushNow);
  return { logger, droppedLines: writer.dropped, flush: () => writer.flush(flushMilliseconds) };
}

let lastTime = { at: Number.NaN, member: '' };

/** As `isoTime` of pino, made once for all lines of a millisecond. */
function timeOfLine(): string {
  const at = Date.now();
  if (at !== lastTime.at) lastTime = { at, member: `,"time":"${new Date(at).toISOString()}"` };
  return lastTime.member;
}

const standardOutput = 1;
const flushMilliseconds = 1_000;

export interface ErrorDescription {
  readonly type: string;
  readonly code?: unknown;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: ErrorDescription;
}

export function describeError(error: unknown): ErrorDescription {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) };
  const { code } = error as { readonly code?: unknown };
  return {
    type: error.name,
    ...(code === undefined ? {} : { code }),
    message: error.message,
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}

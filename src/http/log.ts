import { type DestinationStream, type Logger, pino } from 'pino';

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** Standard output where absent. */
  readonly stream?: DestinationStream;
}

/**
 * The server's log: one JSON object a line, times in UTC. Secrets stay out by construction: headers and queries are never handed to it, and of an
 * error only what is listed here is written.
 */
export function createLog(options: LogOptions): Logger {
  const settings = { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: describeError } };
  // Written beside the requests: lines that come while one is written go out together. What is left is written when the process ends.
  return pino(settings, options.stream ?? pino.destination({ dest: 1, sync: false }));
}

interface ErrorDescription {
  readonly type: string;
  readonly code?: unknown;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: ErrorDescription;
}

function describeError(error: unknown): ErrorDescription {
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

import { type DestinationStream, type Logger, pino } from 'pino';

export interface LogOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** Standard output where absent. */
  readonly stream?: DestinationStream;
}

/** The server's log: one JSON object a line, times in UTC. Headers are never logged; what could carry a token is cut out wherever it turns up. */
export function createLog(options: LogOptions): Logger {
  const redact = { paths: ['authorization', '*.authorization', '*.headers.authorization', 'token', '*.token'], censor: '[secret]' };
  const settings = { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact };
  return options.stream === undefined ? pino(settings) : pino(settings, options.stream);
}

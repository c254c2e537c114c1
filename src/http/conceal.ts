import type { Logger } from 'pino';
import { describeError } from './log.ts';

/** Shorter ones would be found in what has nothing to do with them. */
const shortestSecret = 8;
const mark = '(token)';

/**
 * The log without the server's tokens, which a caller can put where they don't belong: into a path, and so into what an
 * error says of it, or into a request id.
 */
export function concealSecrets(log: Logger, secrets: readonly string[]): Logger {
  const hidden = secrets.filter((secret) => secret.length >= shortestSecret);
  if (hidden.length === 0) return log;
  const conceal = (text: string): string => hidden.reduce((left, secret) => left.replaceAll(secret, mark), text);
  /** A segment that says a token in escapes is left out whole. */
  const concealPath = (path: unknown): unknown =>
    typeof path === 'string'
      ? conceal(path).replace(/[^/]*%[^/]*/g, (segment) => (conceal(decoded(segment)) === decoded(segment) ? segment : mark))
      : path;
  return log.child(
    {},
    {
      serializers: {
        path: concealPath,
        request_id: (id: unknown) => (typeof id === 'string' ? conceal(id) : id),
        err: (error: unknown) => JSON.parse(conceal(JSON.stringify(describeError(error)))),
      },
    },
  );
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

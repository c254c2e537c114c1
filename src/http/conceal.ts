import type { Logger } from 'pino';
import { describeError } from './log.ts';
import { concealed, concealJwts, holdsToken, isPlainPath } from './url-secrets.ts';

/** Shorter ones would be found in what has nothing to do with them. */
const shortestSecret = 8;

const word = /[\w.~+-]{16,}=*/g;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The log without tokens, which a caller can put where they don't belong: into a path, and so into what an error says
 * of it, or into a request id. `secrets` are those that the server knows as text; `isSecret` knows others when it sees
 * them, and is asked for words of 16 characters and more.
 */
export function concealSecrets(log: Logger, secrets: readonly string[], isSecret: (text: string) => boolean = () => false): Logger {
  const hidden = secrets.filter((secret) => secret.length >= shortestSecret);
  const conceal = (text: string): string => {
    const left = hidden.reduce((left, secret) => left.replaceAll(secret, concealed), text);
    if (uuid.test(left) || isPlainPath(left)) return left;
    return concealJwts(left).replace(word, (found) => (!uuid.test(found) && holdsToken(found, isSecret) ? concealed : found));
  };
  /** A segment that says a token in escapes is left out whole. */
  const concealSegment = (segment: string): string =>
    [decoded(segment), decoded(decoded(segment))].every((text) => conceal(text) === text) ? segment : concealed;
  const concealPath = (path: unknown): unknown => {
    if (typeof path !== 'string') return path;
    return path.includes('%') ? conceal(path).replace(/[^/]*%[^/]*/g, concealSegment) : conceal(path);
  };
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

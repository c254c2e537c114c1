import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpDoor } from '../../../src/doors/rest/server.ts';
import { operationsOf } from './odd-requests.ts';

/** Refusals of a server on their way to its OpenAPI document. */
export interface AnswersSeen {
  /** Ends the watch. What was refused with a status that the document does not say, one line for each kind. */
  undescribed(): readonly string[];
}

/**
 * Watches the server on this port. What the document does not know is nobody's operation, and refusals to tus have
 * statuses of tus.
 */
export function watchAnswers(port: number, door: Pick<HttpDoor, 'describe'>, prefix = ''): AnswersSeen {
  const seen = new Set<string>();
  function onFinish(message: unknown): void {
    const { request, response } = message as { readonly request: IncomingMessage; readonly response: ServerResponse };
    if (response.statusCode < 400 || request.socket.localPort !== port || request.headers['tus-resumable'] !== undefined) return;
    seen.add(`${response.statusCode} ${request.method} ${request.url!.slice(prefix.length).split('?', 1)[0]!}`);
  }
  subscribe(channel, onFinish);
  return {
    undescribed() {
      unsubscribe(channel, onFinish);
      // To write the document takes longer than most tests.
      return seen.size === 0 ? [] : [...new Set([...seen].flatMap((answer) => undescribedOf(answer, door)))];
    },
  };
}

const channel = 'http.server.response.finish';

interface Pattern {
  readonly method: string;
  readonly path: string;
  readonly statuses: ReadonlySet<string>;
  readonly pattern: RegExp;
}

/** All servers of a process have the same. */
let patterns: readonly Pattern[] | undefined;

function undescribedOf(answer: string, door: Pick<HttpDoor, 'describe'>): readonly string[] {
  patterns ??= operationsOf(door.describe()).map(({ method, path, statuses }) => ({ method, path, statuses, pattern: patternOf(path) }));
  const [status, asked, url] = answer.split(' ') as [string, string, string];
  const matching = patterns.filter(({ method, pattern }) => method === asked && pattern.test(url));
  // Where two match, the server takes the one without parameters.
  const operation = matching.find(({ path }) => !path.includes('{')) ?? matching[0];
  return operation === undefined || operation.statuses.has(status) ? [] : [`${asked} ${operation.path} answered ${status}`];
}

/** `{relative_path}` may have slashes. */
function patternOf(path: string): RegExp {
  const parts = path.split(/\{(\w+)\}/);
  const written = parts.map((part, at) => (at % 2 === 0 ? part.replaceAll('.', '\\.') : part === 'relative_path' ? '.+' : '[^/]+'));
  return new RegExp(`^${written.join('')}$`);
}

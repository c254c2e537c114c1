import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { operationsOf } from './odd-requests.ts';

/** What a server answered that its OpenAPI document does not say, one line for each kind. */
export interface UndescribedAnswers extends Disposable {
  readonly lines: readonly string[];
}

/**
 * Compares the status of every answer of the server on this port with those that the document has for its operation.
 * What the document does not know is nobody's operation, and answers to tus have statuses of tus.
 */
export function watchAnswers(port: number, description: unknown, prefix = ''): UndescribedAnswers {
  const operations = operationsOf(description).map(({ method, path, statuses }) => ({ method, path, statuses, pattern: patternOf(path) }));
  const undescribed = new Set<string>();
  function onFinish(message: unknown): void {
    const { request, response } = message as { readonly request: IncomingMessage; readonly response: ServerResponse };
    if (request.socket.localPort !== port || request.headers['tus-resumable'] !== undefined) return;
    const path = request.url!.slice(prefix.length).split('?', 1)[0]!;
    const matching = operations.filter(({ method, pattern }) => method === request.method && pattern.test(path));
    // The path without parameters is the one that the server takes where two match.
    const operation = matching.find((each) => !each.path.includes('{')) ?? matching[0];
    if (operation === undefined || operation.statuses.has(String(response.statusCode))) return;
    undescribed.add(`${operation.method} ${operation.path} answered ${response.statusCode}`);
  }
  subscribe(channel, onFinish);
  return {
    get lines() {
      return [...undescribed];
    },
    [Symbol.dispose]: () => void unsubscribe(channel, onFinish),
  };
}

const channel = 'http.server.response.finish';

/** `{relative_path}` may have slashes. */
function patternOf(path: string): RegExp {
  const parts = path.split(/\{(\w+)\}/);
  return new RegExp(
    `^${parts.map((part, at) => (at % 2 === 0 ? part.replaceAll('.', '\\.') : part === 'relative_path' ? '.+' : '[^/]+')).join('')}$`,
  );
}

import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A proxy that has a server below a path, takes the path away, and tells nobody of it. An answer is passed on when
 * `hold` lets it.
 */
export interface ProxyBelow extends Disposable {
  /** What was asked for beside the path, and answered with 502. */
  readonly beside: readonly string[];
  /** Begins, before a server at this address; the address at which browsers find that. */
  listen(server: string): Promise<string>;
}

/** `path` as `/deep/below`; `port` is a free one where absent. */
export function proxyBelow(path: string, port = 0, hold?: (asked: IncomingMessage) => Promise<void> | undefined): ProxyBelow {
  const beside: string[] = [];
  let to = '';
  const proxy = createServer((incoming, answer) => {
    if (incoming.url?.startsWith(`${path}/`) !== true) {
      beside.push(incoming.url ?? '');
      return void answer.writeHead(502).end();
    }
    const target = new URL(incoming.url.slice(path.length), to);
    const sent = request(target, { method: incoming.method ?? 'GET', headers: incoming.headers }, async (from) => {
      await hold?.(incoming);
      answer.writeHead(from.statusCode!, from.headers);
      from.pipe(answer);
      from.on('error', () => answer.destroy());
    });
    sent.on('error', () => answer.destroy());
    answer.on('close', () => sent.destroy());
    incoming.pipe(sent);
  });
  return {
    beside,
    async listen(server) {
      to = server;
      await new Promise<void>((resolve) => void proxy.listen(port, '127.0.0.1', resolve));
      return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${path}`;
    },
    [Symbol.dispose]() {
      proxy.close().closeAllConnections();
    },
  };
}

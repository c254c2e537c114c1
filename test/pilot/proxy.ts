import { createServer, request as open } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Proxy extends AsyncDisposable {
  readonly url: string;
}

/** Stands before a server; `before` is waited for before each request is passed on. */
export async function startProxy(target: string, before: (method: string, path: string) => Promise<void> | void): Promise<Proxy> {
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    try {
      await before(method, url);
      const passed = open(target + url, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      passed.on('error', () => response.destroy());
      request.pipe(passed);
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openWorkplace, type RunningServer, type Workplace } from '../cli/workplace.ts';

/** A real server in a process of its own behind a proxy, which gives the console of these sources. */
export interface ServerBehindProxy extends Disposable {
  readonly place: Workplace;
  readonly url: string;
  /** SIGKILL: nothing of it ends well. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

export const workplaceToken = 'cli-test-token';

/** `console`: a server that has it. */
export async function serverBehindProxy(console: string): Promise<ServerBehindProxy> {
  const place = openWorkplace();
  let server: RunningServer | undefined;
  const proxy = createServer((incoming, answer) => {
    const to = incoming.url?.startsWith('/console/') === true ? console : server?.url;
    if (to === undefined) return void incoming.socket.destroy();
    const target = new URL(incoming.url!, to);
    const sent = request(target, { method: incoming.method ?? 'GET', headers: { ...incoming.headers, host: target.host } }, (from) => {
      answer.writeHead(from.statusCode!, from.headers);
      from.pipe(answer);
      from.on('error', () => incoming.socket.destroy());
    });
    sent.on('error', () => incoming.socket.destroy());
    incoming.on('error', () => sent.destroy());
    incoming.pipe(sent);
  });
  await new Promise<void>((resolve) => void proxy.listen(0, '127.0.0.1', resolve));
  const start = async (): Promise<void> => {
    server = await place.serve('serve', '--port', '0');
  };
  await place.spawned('migrate');
  await start();
  return {
    place,
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async kill() {
      const killed = server;
      server = undefined;
      await killed?.signal('SIGKILL');
    },
    start,
    [Symbol.dispose]() {
      proxy.close().closeAllConnections();
      place[Symbol.dispose]();
    },
  };
}

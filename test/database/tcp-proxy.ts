import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * Stands before a server, and can stop passing anything on without a word, as a router does that has forgotten a flow.
 */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** How many connections were ever made through it. */
  readonly connections: () => number;
  /**
   * From here on nothing of the connections that exist comes through; `new` ones are not answered either when it is
   * `all`.
   */
  silence(which: 'existing' | 'all'): void;
  /** New connections come through again. */
  speak(): void;
  /** Ends all connections; new ones go to another server. */
  lead(port: number): void;
}

export async function startTcpProxy(to: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const sockets = new Set<Socket>();
  let target = to;
  let silent = false;
  let connections = 0;
  const server = createServer((client) => {
    connections += 1;
    sockets.add(client);
    client.on('error', () => client.destroy());
    client.on('close', () => sockets.delete(client));
    if (silent) return void client.resume();
    const behind = connect(target, '127.0.0.1');
    const pair = [client, behind] as const;
    pairs.add(pair);
    sockets.add(behind);
    behind.on('error', () => client.destroy());
    behind.on('close', () => {
      sockets.delete(behind);
      // A flow that nobody knows any more has no end either.
      if (pairs.delete(pair)) client.destroy();
    });
    client.on('close', () => pairs.delete(pair) && behind.destroy());
    client.pipe(behind);
    behind.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    silence(which) {
      silent = which === 'all';
      for (const [client, behind] of pairs) {
        client.unpipe(behind).resume();
        behind.unpipe(client).resume();
      }
      pairs.clear();
    },
    speak() {
      silent = false;
    },
    lead(port) {
      target = port;
      for (const socket of sockets) socket.destroy();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The URL through the proxy. */
export function through(proxy: TcpProxy, connectionString: string): string {
  const url = new URL(connectionString);
  url.port = String(proxy.port);
  return url.href;
}

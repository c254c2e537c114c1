import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Random } from '../../registry/random.ts';

/** One address in front of several servers, which are killed. */
export interface Balancer {
  readonly url: string;
  stop(): void;
}

/**
 * Passes each connection on to a server by chance, or to the next where that one is not there. A connection ends with
 * its server.
 */
export async function balance(ports: readonly number[], random: Random): Promise<Balancer> {
  const open = new Set<Socket>();
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    open.add(client);
    client.on('error', () => undefined).once('close', () => open.delete(client));
    const first = random(ports.length);
    void pass(client, [...ports.slice(first), ...ports.slice(0, first)]);
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');

  async function pass(client: Socket, [port, ...others]: readonly number[]): Promise<void> {
    if (port === undefined) return void client.destroy();
    const server = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const isThere = await once(server, 'connect').then(
      () => true,
      () => false,
    );
    if (!isThere) return await pass(client, others);
    open.add(server);
    server.once('close', () => open.delete(server));
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('error', () => to.destroy()).once('close', () => to.destroy());
      from.pipe(to);
    }
  }

  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    stop() {
      listener.close();
      for (const socket of open) socket.destroy();
    },
  };
}

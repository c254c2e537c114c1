import type { Server } from 'node:http';
import { createServer, type Server as Listener } from 'node:net';

/** Another address of a server. What comes there is the server's own: whatever bounds its connections bounds these. */
export interface ListenerBeside {
  /** Takes no new connection, and resolves when the last of its connections is closed. */
  close(): Promise<void>;
}

/**
 * Listens on one more address for an HTTP server that already listens. There is no second HTTP server, to which nothing
 * that was set up for the first one would apply.
 */
export async function listenBeside(server: Server, host: string, port: number): Promise<ListenerBeside> {
  const listener: Listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => server.emit('connection', socket));
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen({ host, port }, () => {
      listener.off('error', reject);
      resolve();
    });
  });
  return { close: () => new Promise((resolve) => listener.close(() => resolve())) };
}

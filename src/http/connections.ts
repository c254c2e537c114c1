import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { whenClosed } from './when-closed.ts';

/** The connections of a server, and which of them have a request in flight. */
export interface Connections {
  /** Closes each one on which no request is in flight now, and the others when their last answer is given. */
  letGo(): void;
  /** Closes what is left, and tells whether a request was in flight. */
  cutOff(): boolean;
}

/** Node calls a connection idle only after its first request: one that never said a word would be waited for. */
export function followConnections(server: Server): Connections {
  const inFlight = new Map<Socket, number>();
  let lettingGo = false;

  server.on('connection', (socket: Socket) => {
    if (lettingGo) return void socket.destroy();
    inFlight.set(socket, 0);
    socket.once('close', () => inFlight.delete(socket));
  });
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    inFlight.set(socket, (inFlight.get(socket) ?? 0) + 1);
    whenClosed(response, () => {
      const left = (inFlight.get(socket) ?? 1) - 1;
      if (!inFlight.has(socket)) return;
      inFlight.set(socket, left);
      if (lettingGo && left === 0) socket.destroySoon();
    });
  });

  return {
    letGo() {
      lettingGo = true;
      for (const [socket, requests] of inFlight) if (requests === 0) socket.destroySoon();
    },
    cutOff() {
      const busy = [...inFlight.values()].some((requests) => requests > 0);
      for (const socket of inFlight.keys()) socket.destroy();
      return busy;
    },
  };
}

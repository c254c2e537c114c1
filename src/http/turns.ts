import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpBound, Limits } from './limits.ts';
import { parseInSmallPieces } from './small-pieces.ts';
import { whenClosed } from './when-closed.ts';

type Request = readonly [request: IncomingMessage, response: ServerResponse];

/** From here on nothing more of a connection is parsed until the requests that were sent ahead are answered. */
const enough = 16;

/**
 * Lets the requests of one connection in one at a time: the next is begun when the system has the answer to the one
 * before. So a connection has one answer in memory however many requests were sent ahead on it (pipelining, RFC 9112
 * section 9.3.2). One that sends more than `waitingRequests` ahead is reset: what it has no answer to was not begun,
 * except for the first of them.
 */
export function takeTurns(server: Server, limits: Pick<Limits, 'waitingRequests'>, limited: (limit: HttpBound) => void): void {
  const handlers = server.listeners('request');
  server.removeAllListeners('request');
  const waiting = new WeakMap<Socket, Request[]>();

  const begin = (queue: Request[], [request, response]: Request): void => {
    whenClosed(response, () => next(request.socket, queue));
    for (const handle of handlers) handle.call(server, request, response);
  };

  const next = (socket: Socket, queue: Request[]): void => {
    const following = socket.destroyed ? undefined : queue.shift();
    if (following === undefined) waiting.delete(socket);
    else begin(queue, following);
    pieces.resume(socket);
  };

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    // The parser finishes what it has read, whatever became of the connection.
    if (socket.destroyed) return;
    const queue = waiting.get(socket);
    if (queue === undefined) {
      const first: Request[] = [];
      waiting.set(socket, first);
      return begin(first, [request, response]);
    }
    if (queue.length >= limits.waitingRequests) {
      limited('waiting_requests');
      queue.length = 0;
      return void socket.resetAndDestroy();
    }
    queue.push([request, response]);
    if (queue.length === enough) pieces.beWary();
  });
  const pieces = parseInSmallPieces(server, (socket) => (waiting.get(socket)?.length ?? 0) < enough);
}

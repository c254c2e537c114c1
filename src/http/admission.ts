import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ArtifactstoreError } from '../kernel/error.ts';
import type { Door } from './door.ts';
import { type HttpBound, httpBounds, type Limits } from './limits.ts';
import { whenClosed } from './when-closed.ts';

/** Connections beyond the maximum that are heard anyway, for one request and this long. */
const heardConnections = 32;
const heardMilliseconds = 5_000;

export interface Admission {
  limited(limit: HttpBound): void;
  readonly refuse: Door['refuse'];
  isProbe(url: string): boolean;
}

/**
 * Takes `connections` at a time. When there are so many, a new one takes the place of the one that has said nothing
 * whole for longest, or else of the one that has waited longest for its next request: whoever asks at once is heard,
 * however many connections do not. Where all are being answered, its first request is refused with 503 and
 * `Retry-After`, except for `isProbe`, which is answered: whether the process lives can always be asked. Of those that
 * are heard beyond the maximum the oldest leaves for the next.
 */
export function admitConnections(
  server: Server,
  { connections: maximum }: Pick<Limits, 'connections'>,
  { limited, refuse, isProbe }: Admission,
): void {
  if (maximum === 0) return;
  const handlers = server.listeners('request');
  server.removeAllListeners('request');
  /** In the order in which they became what they are. */
  const taken = new Set<Socket>();
  const silent = new Set<Socket>();
  const idle = new Set<Socket>();
  const heard = new Set<Socket>();

  server.on('connection', (socket: Socket) => {
    if (taken.size >= maximum) {
      const [leaving] = silent.size > 0 ? silent : idle;
      if (leaving === undefined) return hear(socket);
      if (silent.size > 0) limited('connections');
      forget(leaving);
      leaving.destroy();
    }
    taken.add(socket);
    silent.add(socket);
    socket.once('close', () => forget(socket));
  });

  function forget(socket: Socket): void {
    taken.delete(socket);
    silent.delete(socket);
    idle.delete(socket);
  }

  function hear(socket: Socket): void {
    limited('connections');
    const [oldest] = heard;
    if (heard.size >= heardConnections) oldest?.resetAndDestroy();
    heard.add(socket);
    const timer = setTimeout(() => socket.destroy(), heardMilliseconds);
    timer.unref();
    socket.once('close', () => {
      clearTimeout(timer);
      heard.delete(socket);
    });
  }

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    if (heard.has(socket)) {
      response.setHeader('connection', 'close');
      if (!isProbe(request.url ?? '')) return sendRefused(response, refuse, maximum);
    } else {
      silent.delete(socket);
      idle.delete(socket);
      whenClosed(response, () => {
        if (taken.has(socket) && !socket.destroyed) idle.add(socket);
      });
    }
    for (const handle of handlers) handle.call(server, request, response);
  });
}

function sendRefused(response: ServerResponse, refuse: Door['refuse'], maximum: number): void {
  const { variable } = httpBounds.connections;
  const error = new ArtifactstoreError(
    'too_busy',
    `This server has the ${maximum} connections that it takes (${variable}); ask again later.`,
    {
      info: { bound: 'connections', limit: maximum, variable },
    },
  );
  const requestId = randomUUID();
  const { status, headers, body } = refuse(error, requestId);
  response.writeHead(status, { ...headers, 'x-request-id': requestId, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** Some ninety of the shortest requests. */
const pieceBytes = 4_096;
/** How a chunk begins that may be the last one of a body whose length nobody said. */
const lastChunk = '\r\n0';
const waryMilliseconds = 60_000;

export interface SmallPieces {
  /** For a minute, what is open and what comes is parsed in small pieces; a connection that began so stays so. */
  beWary(): void;
  /** Continues with a connection when it may be parsed again. */
  resume(socket: Socket): void;
}

interface Feed {
  /** What listens to the connection's data. */
  readonly parsers: readonly (typeof Function.prototype)[];
  left: Buffer | undefined;
  /** The end of what was parsed last. */
  tail: string;
  /** Whether it was paused here, and not by the reader of a body. */
  paused: boolean;
  last: { readonly request: IncomingMessage; bytesAfter: number } | undefined;
}

/**
 * What is read of a connection at once can hold fifteen hundred requests, which are all made before anybody can say
 * that these are too many. So, from the moment that one connection sends ahead more than it should, the parser is given
 * what connections send in small pieces, and none while not `mayParse`. Bodies are not cut; still it costs a tenth more
 * for long ones, so it is not done in peace.
 */
export function parseInSmallPieces(server: Server, mayParse: (socket: Socket) => boolean): SmallPieces {
  const open = new Set<Socket>();
  const feeds = new WeakMap<Socket, Feed>();
  let waryUntil = 0;

  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (performance.now() < waryUntil) attach(socket);
  });
  server.prependListener('request', (request: IncomingMessage) => {
    const feed = feeds.get(request.socket);
    if (feed !== undefined) feed.last = { request, bytesAfter: 0 };
  });

  function attach(socket: Socket): void {
    if (feeds.has(socket)) return;
    const feed: Feed = { parsers: socket.listeners('data'), left: undefined, tail: '', paused: false, last: undefined };
    feeds.set(socket, feed);
    // Whoever listens to a connection's data has it read by Node's streams, where it can be cut, and not by the parser
    // itself.
    socket.on('data', (bytes: Buffer) => {
      feed.left = feed.left === undefined ? bytes : Buffer.concat([feed.left, bytes]);
      parse(socket, feed);
    });
    for (const each of feed.parsers) socket.removeListener('data', each as (bytes: Buffer) => void);
    // Node resumes a connection whenever somebody begins to read a request of it.
    socket.on('resume', () => parse(socket, feed));
  }

  function parse(socket: Socket, feed: Feed): void {
    while (feed.left !== undefined && !socket.isPaused() && !socket.destroyed) {
      if (!mayParse(socket)) {
        feed.paused = true;
        return void socket.pause();
      }
      const { left, last } = feed;
      const length = Math.min(left.length, uncut(feed));
      const piece = left.subarray(0, length);
      feed.left = length === left.length ? undefined : left.subarray(length);
      feed.tail = piece.toString('latin1', length - lastChunk.length + 1);
      if (last !== undefined) last.bytesAfter += length;
      for (const each of feed.parsers) Reflect.apply(each, socket, [piece]);
    }
  }

  return {
    beWary() {
      const now = performance.now();
      const was = waryUntil;
      waryUntil = now + waryMilliseconds;
      if (was < now) for (const socket of open) attach(socket);
    },
    resume(socket) {
      const feed = feeds.get(socket);
      if (feed === undefined || !feed.paused || !mayParse(socket)) return;
      feed.paused = false;
      socket.resume();
    },
  };
}

/** How much of what is left can be parsed at once. */
function uncut({ last, left, tail }: Feed): number {
  if (last === undefined || last.request.complete || left === undefined) return pieceBytes;
  const declared = last.request.headers['content-length'];
  if (declared !== undefined) return Math.max(pieceBytes, Number(declared) - last.bytesAfter);
  if ((tail + left.toString('latin1', 0, lastChunk.length - 1)).includes(lastChunk)) return pieceBytes;
  const end = left.indexOf(lastChunk, 0, 'latin1');
  return end === -1 ? left.length : Math.max(pieceBytes, end);
}

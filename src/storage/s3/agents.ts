import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { OnReadOpts, Socket } from 'node:net';

/**
 * Connections that are kept, and that read into one buffer. Left to themselves they allocate 64 KiB for every read, and
 * throw it away once the HTTP parser has copied the bytes out of it: for a download that is more work for the garbage
 * collector than all else.
 */
export function createAgents(): { readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent } {
  return { httpAgent: readingTogether(new HttpAgent(options)), httpsAgent: readingTogether(new HttpsAgent(options)) };
}

function readingTogether<A extends HttpAgent>(agent: A): A {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (connection, done) => {
    const onread: OnReadOpts = {
      buffer: readBuffer,
      // The listener is the parser, which is done with the bytes when it returns.
      callback: (size, buffer) => {
        socket.emit('data', Buffer.from(buffer.buffer, buffer.byteOffset, size));
        // Also where nobody listened: a connection that stopped reading would not see its end.
        return true;
      },
    };
    const socket = connect({ ...connection, onread } as typeof connection, done) as Socket;
    return socket;
  };
  return agent;
}

const options = { keepAlive: true, maxSockets: 128, maxFreeSockets: 64 } as const;

/** Of all connections: each read is taken out before the next one begins, since they happen on one thread. */
const readBuffer = Buffer.allocUnsafeSlow(262_144);

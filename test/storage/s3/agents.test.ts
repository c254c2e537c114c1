import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from 'node:http';
import { createServer as createTlsServer, request as requestTls } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { createAgents } from '../../../src/storage/s3/agents.ts';
import { localhostCertificate } from '../../stores/certificate.ts';

for (const secure of [false, true])
  describe(`connections that read into one buffer, ${secure ? 'with TLS' : 'plain'}`, () => {
    const bodies = [0, 1, 65_535, 65_536, 300_000, 5_000_000].map((size) => randomBytes(size));
    const agents = createAgents();
    const sockets = new Set<Socket>();
    let server: Server;
    let ca: string;

    const answer: RequestListener = (asked, response) => {
      const body = bodies[Number(asked.url!.slice(1, 2))]!;
      if (asked.url!.endsWith('length')) response.setHeader('content-length', body.byteLength);
      for (let first = 0; first < body.byteLength; first += 70_001) response.write(body.subarray(first, first + 70_001));
      response.end();
    };

    before(async () => {
      const { key, cert } = localhostCertificate();
      ca = cert;
      server = secure ? createTlsServer({ key, cert }, answer) : createServer(answer);
      server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => sockets.add(socket));
      await once(server.listen(0, '127.0.0.1'), 'listening');
    });
    after(() => {
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
      server.closeAllConnections();
      server.close();
    });

    async function ask(path: string): Promise<IncomingMessage> {
      const { port } = server.address() as AddressInfo;
      const options = { host: '127.0.0.1', port, path, ca, servername: 'localhost', agent: secure ? agents.httpsAgent : agents.httpAgent };
      const sent = (secure ? requestTls : request)(options).end();
      return (await once(sent, 'response'))[0] as IncomingMessage;
    }

    async function read(index: number, how: string): Promise<void> {
      const answered = await ask(`/${index}${how}`);
      const kept: Buffer[] = [];
      for await (const chunk of answered) {
        kept.push(chunk as Buffer);
        // Slower than the server writes: bytes of other connections are read meanwhile.
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(Buffer.concat(kept).equals(bodies[index]!), `${index} ${how}`);
    }

    test('give every body as it was sent, many at once, and are used again', async () => {
      for (let round = 0; round < 3; round++)
        await Promise.all(bodies.flatMap((_, index) => ['length', 'chunked', 'length'].map((how) => read(index, how))));
      assert.ok(sockets.size <= 3 * bodies.length, `${sockets.size} connections`);
    });

    test('see their end while nobody reads, also after bytes that nobody asked for', async () => {
      await read(1, 'length');
      const idle = [...sockets].filter((socket) => !socket.destroyed);
      for (const socket of idle) socket.write('nobody asked for this');
      await new Promise((resolve) => setTimeout(resolve, 20));
      for (const socket of idle) socket.end();
      await Promise.all(idle.map((socket) => (socket.destroyed ? undefined : once(socket, 'close'))));
      await read(4, 'length');
    });
  });

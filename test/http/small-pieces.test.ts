import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseInSmallPieces } from '../../src/http/small-pieces.ts';
import { drain } from '../doors/rest/open-door.ts';

const ahead = 400;

function openServer(): { readonly server: Server; port(): Promise<number> } & Disposable {
  const server = createServer();
  return {
    server,
    async port() {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      return (server.address() as AddressInfo).port;
    },
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

test('of what many send ahead little is made at a time, and all of it is answered', async () => {
  using opened = openServer();
  const { server } = opened;
  const waiting = new Map<Socket, ServerResponse[]>();
  const pieces = parseInSmallPieces(server, (socket) => (waiting.get(socket)?.length ?? 0) < 16);
  let made = 0;
  server.on('request', ({ socket }, response) => {
    made += 1;
    waiting.set(socket, [...(waiting.get(socket) ?? []), response]);
  });
  const port = await opened.port();
  pieces.beWary();
  const sockets = Array.from({ length: 4 }, () => connect(port, '127.0.0.1'));
  const answers = sockets.map(drain);
  for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(ahead));
  let before = -1;
  while (before < made || made === 0) {
    before = made;
    await sleep(50);
  }
  assert.ok(made < 4 * 200, `${made} of ${4 * ahead} were made before any was answered`);

  while (made < 4 * ahead || [...waiting.values()].some(({ length }) => length > 0)) {
    for (const [socket, responses] of waiting) {
      responses.shift()?.end('x');
      pieces.resume(socket);
    }
    await sleep(0);
  }
  for (const socket of sockets) socket.end();
  for (const text of await Promise.all(answers)) assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, ahead);
});

test('bodies arrive whole, and what comes behind them is another request', async () => {
  using opened = openServer();
  const { server } = opened;
  const pieces = parseInSmallPieces(server, () => true);
  server.on('request', async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    response.end(hash('sha256', Buffer.concat(parts)));
  });
  const port = await opened.port();
  // This one is open before, and in the middle of a body.
  const early = connect(port, '127.0.0.1');
  const bodies = [Buffer.from('\r\n0\r\n\r\n'.repeat(30_000)), randomBytes(300_000), Buffer.alloc(0), Buffer.alloc(70_000, '\r\n0')];
  const sent = Buffer.concat([
    ...bodies.flatMap((body) => [Buffer.from(`PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n`), body]),
    ...bodies.flatMap((body) => [
      Buffer.from('PUT / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n'),
      ...(body.length === 0 ? [] : [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n')]),
      Buffer.from('0\r\n\r\n'),
    ]),
    Buffer.from('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'),
  ]);
  const expected = [...bodies, ...bodies, Buffer.alloc(0)].map((body) => hash('sha256', body));

  const heard = drain(early);
  early.write(sent.subarray(0, 100_000));
  await sleep(50);
  pieces.beWary();
  early.write(sent.subarray(100_000));
  assert.deepEqual((await heard).match(/[0-9a-f]{64}/g), expected);
  for (const length of [65_536, 1_001]) {
    const socket = connect(port, '127.0.0.1');
    const said = drain(socket);
    for (let at = 0; at < sent.length; at += length) {
      socket.write(sent.subarray(at, at + length));
      if (length < 2000 && at % 50 === 0) await sleep(0);
    }
    assert.deepEqual((await said).match(/[0-9a-f]{64}/g), expected, `in pieces of ${length}`);
  }
});

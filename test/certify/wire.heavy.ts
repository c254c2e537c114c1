import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { openWire, type Wire } from '../../src/certify/wire.ts';

test('a permission to send that comes after the body went unasked does no harm', async () => {
  const bodies: string[] = [];
  const server = createServer();
  server.on('checkContinue', async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    bodies.push(Buffer.concat(chunks).toString());
    response.writeContinue();
    setTimeout(() => response.end(), 50);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const wire = wireTo(server.address() as AddressInfo);
  try {
    const { status, continued } = await wire.send({ method: 'PUT', key: 'k', body: 'once', transfer: 'expect' });
    assert.deepEqual([status, continued, bodies], [200, false, ['once']]);
  } finally {
    wire.close();
    server.closeAllConnections();
    server.close();
  }
});

test('a connection that was kept and has ended says nothing about the request that is written to it', async () => {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => request.resume().on('end', () => response.end()));
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const wire = wireTo(server.address() as AddressInfo);
  try {
    for (let round = 0; round < 40; round++) {
      assert.equal((await wire.send({ method: 'PUT', key: 'k', body: Buffer.alloc(4_000_000) })).status, 200);
      // Nobody reads of its end before the next request is written.
      for (const socket of sockets) socket.destroy();
    }
    assert.ok(sockets.size > 10, `${sockets.size} connections`);
  } finally {
    wire.close();
    server.close();
  }
});

test('an answer that was long on its way says nothing of the clock of the store, and one that was not does', async () => {
  let clock = Date.UTC(2026, 0, 1);
  let ahead = 0;
  let onWay = 0;
  const server = createServer((_request, response) => {
    response.setHeader('date', new Date(clock + ahead).toUTCString());
    clock += onWay;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const wire = wireTo(server.address() as AddressInfo, () => clock);
  try {
    for (const [apart, milliseconds, found] of [
      [0, 0, 0],
      [0, 60_000, 0],
      [-30_000, 60_000, -30_000],
      [90_000, 60_000, 30_000],
      [3_600_000, 0, 3_600_000],
      [-3_600_000, 0, -3_600_000],
    ] as const) {
      [ahead, onWay] = [apart, milliseconds];
      await wire.send({ key: 'k' });
      assert.equal(wire.clockAheadMilliseconds, found, `${apart} apart, ${milliseconds} on its way`);
    }
  } finally {
    wire.close();
    server.close();
  }
});

function wireTo({ port }: AddressInfo, now: () => number = Date.now): Wire {
  return openWire({
    connection: {
      endpointUrl: `http://127.0.0.1:${port}`,
      region: 'auto',
      bucket: 'b',
      forcePathStyle: true,
      credentials: { keys: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }), refused: () => undefined },
    },
    now,
    // Half of it is waited for the permission.
    patienceMilliseconds: 10_000,
    signal: undefined,
  });
}

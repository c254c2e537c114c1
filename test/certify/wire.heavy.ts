import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { openWire } from '../../src/certify/wire.ts';

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
  const wire = openWire({
    connection: {
      endpointUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: 'auto',
      bucket: 'b',
      forcePathStyle: true,
      credentials: { keys: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }), refused: () => undefined },
    },
    now: Date.now,
    // Half of it is waited for the permission.
    patienceMilliseconds: 5000,
    signal: undefined,
  });
  try {
    const { status, continued } = await wire.send({ method: 'PUT', key: 'k', body: 'once', transfer: 'expect' });
    assert.deepEqual([status, continued, bodies], [200, false, ['once']]);
  } finally {
    wire.close();
    server.closeAllConnections();
    server.close();
  }
});

import assert from 'node:assert/strict';
import { connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import { drain, openDoor } from '../doors/rest/open-door.ts';

const get = (path: string, host = 'localhost'): string => `GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === '::1'));
const needsIpv6 = hasIpv6 ? {} : { skip: 'this machine has no ::1, so localhost has one address' };

async function connectTo(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket;
}

test('both addresses of localhost have the same bounds', needsIpv6, async () => {
  await using door = await openDoor({ host: 'localhost', allowedHosts: [], limits: { waitingRequests: 30, connections: 2 } });
  assert.match(door.url, /^http:\/\/127\.0\.0\.1:/);
  const metric = async (limit: string) =>
    Number(
      new RegExp(`^artifactstore_http_limits_total\\{limit="${limit}"\\} (\\d+)$`, 'm').exec(
        await (await door.call('/metrics')).text(),
      )?.[1],
    );

  assert.equal((await fetch(`http://[::1]:${door.port}/livez`)).status, 200);
  const foreign = await connectTo('::1', door.port);
  foreign.write(get('/health', 'evil.example').replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'));
  assert.match(await drain(foreign), /^HTTP\/1\.1 403 /);

  const ahead = await connectTo('::1', door.port);
  ahead.write(get('/livez').repeat(200));
  await drain(ahead);
  assert.equal(await metric('waiting_requests'), 1);

  const silent = await Promise.all(Array.from({ length: 6 }, () => connectTo('::1', door.port)));
  await Promise.all(silent.slice(0, 4).map(drain));
  assert.ok((await metric('connections')) >= 4);
});

test('a server that stops closes the connections of both addresses', needsIpv6, async () => {
  await using door = await openDoor({ host: 'localhost', allowedHosts: [] });
  const idle = await Promise.all(['127.0.0.1', '::1'].map((host) => connectTo(host, door.port)));
  const ends = idle.map(drain);
  await door.door.close();
  await Promise.all(ends);
  await assert.rejects(connectTo('::1', door.port));
});

test('localhost is answered at one address where the other is taken, and the log says so', needsIpv6, async (context: TestContext) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen({ host: '::1', port: 0 }, resolve));
  context.after(() => taken.close());
  const address = taken.address();
  assert.ok(typeof address === 'object' && address !== null);
  await using door = await openDoor({ host: 'localhost', port: address.port, allowedHosts: [] });
  assert.equal((await fetch(`${door.url}/livez`)).status, 200);
  assert.ok(door.lines.some((line) => line.includes('localhost is answered at 127.0.0.1 only') && line.includes('EADDRINUSE')));
});

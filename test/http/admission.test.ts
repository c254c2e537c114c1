import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorization, type Door, drain, openDoor, until } from '../doors/rest/open-door.ts';

const get = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n${headers}\r\n`;

/** Of the metrics, without a connection. */
async function measured(door: Door, name: string): Promise<number> {
  const text = await door.door.metrics.render();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1],
  );
}

const held = 'artifactstore_http_limits_total{limit="connections"}';

test('at the maximum, room is made by who says nothing whole, and then by who waits for the next request', async () => {
  await using door = await openDoor({ limits: { connections: 3 } });
  const idle = await door.connect();
  let heard = '';
  idle.on('data', (chunk) => (heard += chunk));
  idle.write(get('/livez'));
  await until(() => heard.includes('"ok"'));
  const silent = await door.connect();
  const partial = await door.connect();
  partial.write('GET /livez HTTP/1.1\r\nhost');

  assert.match(await door.raw(get('/livez', 'connection: close\r\n')), /^HTTP\/1\.1 200 /);
  await drain(silent);
  const others = [await door.connect(), await door.connect()];
  await drain(partial);
  // What asks is answered, however many connect and say nothing.
  const crowd = await Promise.all(Array.from({ length: 50 }, () => door.connect()));
  for (const socket of crowd) socket.on('error', () => undefined);
  assert.match(await door.raw(get('/openapi.json', 'connection: close\r\n')), /^HTTP\/1\.1 200 /);
  heard = '';
  idle.write(get('/livez'));
  await until(() => heard.includes('"ok"'));
  assert.ok((await measured(door, held)) >= 50);
  for (const socket of [idle, ...others, ...crowd]) socket.destroy();
});

test('when all are being answered, a request is refused in words and a probe is answered', async () => {
  await using door = await openDoor({ limits: { connections: 2 } });
  const busy = [await door.connect(), await door.connect()];
  for (const socket of busy) {
    socket.on('error', () => undefined);
    socket.write(get('/events?since=1000&wait=60', `authorization: ${authorization}\r\n`));
  }
  while ((await measured(door, 'artifactstore_http_requests_in_flight')) < 2) await new Promise(setImmediate);
  const refused = await door.raw(get('/openapi.json'));
  assert.match(refused, /^HTTP\/1\.1 503 /);
  assert.match(refused, /application\/problem\+json[\s\S]*retry-after: \d+\r\n[\s\S]*"code":"too_busy"/);
  assert.match(refused, /connection: close\r\n/i);
  assert.match(await door.raw(get('/livez')), /^HTTP\/1\.1 200 /);

  // Silent ones beyond the maximum keep nobody from being heard.
  const beyond = await Promise.all(Array.from({ length: 100 }, () => door.connect()));
  for (const socket of beyond) socket.on('error', () => undefined);
  assert.match(await door.raw(get('/livez?x')), /^HTTP\/1\.1 /);
  for (const socket of [...beyond, ...busy]) socket.destroy();
  assert.ok((await measured(door, held)) >= 100);
});

test('where all others wait for their next request, the one that has waited longest makes room', async () => {
  await using door = await openDoor({ limits: { connections: 2 } });
  const answered = async () => {
    const socket = await door.connect();
    let heard = '';
    socket.on('data', (chunk) => (heard += chunk));
    socket.write(get('/livez'));
    await until(() => heard.includes('"ok"'));
    return socket;
  };
  const first = await answered();
  const left = drain(first);
  const second = await answered();
  assert.match(await door.raw(get('/openapi.json', 'connection: close\r\n')), /^HTTP\/1\.1 200 /);
  await left;
  assert.equal(second.closed, false);
  second.destroy();
  assert.equal(await measured(door, held), 0, 'nothing is refused or cut off that somebody waits for');
});

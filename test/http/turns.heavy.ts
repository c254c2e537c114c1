import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drain, openDoor, until } from '../doors/rest/open-door.ts';

const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n${more}\r\n`;

test('requests that are sent ahead are answered in order, and begun one at a time', async () => {
  await using door = await openDoor();
  const ids = Array.from({ length: 200 }, (_, number) => `turn-${number}`);
  const requests = ids.map((id, number) =>
    get(number % 2 === 0 ? '/livez' : '/openapi.json', `x-request-id: ${id}\r\n${number === 199 ? 'connection: close\r\n' : ''}`),
  );
  const answers = await door.raw(requests.join(''));
  assert.deepEqual(
    [...answers.matchAll(/x-request-id: (turn-\d+)/g)].map(([, id]) => id),
    ids,
  );

  const socket = await door.connect();
  socket.pause();
  for (let sent = 0; sent < 40; sent++) socket.write(get('/openapi.json').repeat(5));
  // Those that wait are not begun, so not counted.
  await until(() => door.lines.some((line) => line.includes('"path":"/openapi.json"')));
  const metrics = await (await door.call('/metrics')).text();
  assert.ok(Number(/^artifactstore_http_requests_in_flight (\d+)$/m.exec(metrics)?.[1]) <= 2, metrics);
  socket.destroy();
});

test('a body that comes behind other requests is read in its turn', async () => {
  await using door = await openDoor();
  const { id } = await door.newPackage();
  const body = 'x'.repeat(300_000);
  const answers = await door.raw(
    get('/livez').repeat(20),
    `PUT /packages/${id}/files/late HTTP/1.1\r\nhost: x\r\nauthorization: Bearer a-token-for-tests-0123456789\r\ncontent-length: ${body.length}\r\n\r\n`,
    body,
    get('/livez', 'connection: close\r\n'),
  );
  assert.deepEqual(
    [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
    [...Array.from({ length: 20 }, () => '200'), '201', '200'],
  );
});

test('a connection that sends more ahead than it may is reset, and counted', async () => {
  await using door = await openDoor({ limits: { waitingRequests: 30 } });
  const socket = await door.connect();
  socket.write(get('/livez').repeat(200));
  await drain(socket);
  assert.match(await (await door.call('/metrics')).text(), /^artifactstore_http_limits_total\{limit="waiting_requests"\} 1$/m);
  assert.equal(door.lines.filter((line) => line.includes('"limit":"waiting_requests"')).length, 1);
  assert.equal((await fetch(`${door.url}/livez`)).status, 200);
});

test('once somebody has sent much ahead, no more of a connection is parsed than it has turns for', async () => {
  await using door = await openDoor();
  const last = get('/livez', 'connection: close\r\n');
  await door.raw(get('/livez').repeat(20) + last);
  // Parsed at once these were more than may wait, and the connection were reset.
  const answers = await door.raw(get('/livez').repeat(600) + last);
  assert.equal(answers.match(/HTTP\/1\.1 200/g)?.length, 601);
});

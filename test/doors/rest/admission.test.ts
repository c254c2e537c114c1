import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drain, openDoor, until } from './open-door.ts';

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`;

test('beyond the maximum a request is refused in words, a probe is answered, and room is made by who waits for nothing', async () => {
  await using door = await openDoor({ limits: { connections: 3 } });
  const silent = [await door.connect(), await door.connect()];
  const idle = await door.connect();
  let heard = '';
  idle.on('data', (chunk) => (heard += chunk));
  idle.write(get('/livez'));
  await until(() => heard.includes('"ok"'));

  // The one that has its answer makes room.
  const next = await door.connect();
  await drain(idle);
  next.write('GET /livez HTTP/1.1\r\nhost');

  const refused = await door.raw(get('/openapi.json'));
  assert.match(refused, /^HTTP\/1\.1 503 [\s\S]*application\/problem\+json/);
  assert.match(refused, /retry-after: \d+\r\n[\s\S]*"code":"too_busy"/);
  assert.match(refused, /connection: close\r\n/i);
  assert.match(await door.raw(get('/livez')), /^HTTP\/1\.1 200 /);

  // Silent ones beyond the maximum keep nobody from being heard.
  const beyond = await Promise.all(Array.from({ length: 100 }, () => door.connect()));
  for (const socket of beyond) socket.on('error', () => undefined);
  assert.match(await door.raw(get('/livez?x')), /^HTTP\/1\.1 /);
  for (const socket of [...beyond, ...silent, next]) socket.destroy();
  let answer = await door.call('/metrics');
  while (answer.status === 503) answer = await door.call('/metrics');
  const metrics = await answer.text();
  assert.ok(Number(/^artifactstore_http_limits_total\{limit="connections"\} (\d+)$/m.exec(metrics)?.[1]) >= 100, metrics);
});

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { authorization, type Door, openDoor, until } from '../doors/rest/open-door.ts';

/** More than the system keeps of an answer for both sides. */
const large = 32 * 1_048_576;

async function ask(door: Door, path: string, times = 1): Promise<Socket> {
  const socket = await door.connect();
  socket.on('error', () => undefined).pause();
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n\r\n`.repeat(times));
  return socket;
}

async function held(door: Door, limit: string): Promise<number> {
  const text = await (await door.call('/metrics')).text();
  return Number(new RegExp(`^artifactstore_http_limits_total\\{limit="${limit}"\\} (\\d+)$`, 'm').exec(text)?.[1]);
}

/** A package with so many bytes in a file, and as many in a list of packages. */
async function fill(door: Door): Promise<string> {
  const { id } = await door.newPackage();
  assert.equal((await door.call(`/packages/${id}/files/large`, { method: 'PUT', body: Buffer.alloc(large) })).status, 201);
  const metadata = { text: 'x'.repeat(900_000) };
  for (let made = 0; made < 8; made++)
    await door.registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient', metadata });
  assert.equal((await door.json(`/packages/${id}/finalize`, {})).status, 200);
  return id;
}

test('an answer that nobody reads is let go, a slow reader is not', async () => {
  await using door = await openDoor({ limits: { idleTimeout: 4_000 } });
  const id = await fill(door);
  const sockets = [
    await ask(door, `/packages/${id}/files/large`),
    await ask(door, `/packages/${id}/archive`),
    await ask(door, '/packages?limit=500', 20),
  ];
  const slow = await ask(door, `/packages/${id}/files/large`);
  let taken = 0;
  slow.on('data', (chunk) => {
    taken += chunk.length;
    slow.pause();
    setTimeout(() => slow.resume(), 1);
  });
  slow.resume();
  await until(() => door.lines.filter((line) => line.includes('"unfinished":true')).length >= sockets.length);
  assert.equal(await held(door, 'unread_answer'), sockets.length);
  assert.equal(door.lines.filter((line) => line.includes('"limit":"unread_answer"')).length, 1);
  await until(() => taken > large);
  slow.destroy();
  for (const socket of sockets) socket.destroy();
});

test('of all that wait for their readers, those that wait longest go first when it is too much', async () => {
  await using door = await openDoor({ limits: { unsentBytes: 3_000_000, idleTimeout: 60_000 } });
  await fill(door);
  const sockets = [];
  for (let asked = 0; asked < 4; asked++) sockets.push(await ask(door, '/packages?limit=500', 20));
  await until(() => door.lines.filter((line) => line.includes('"unfinished":true')).length >= 3);
  assert.ok((await held(door, 'unsent_bytes')) >= 3);
  assert.equal(door.lines.filter((line) => line.includes('"limit":"unsent_bytes"')).length, 1);
  for (const socket of sockets) socket.destroy();
});

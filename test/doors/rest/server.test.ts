import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { test } from 'node:test';
import type { Limits } from '../../../src/http/limits.ts';
import { actor, authorization, drain, openDoor, token, until } from './open-door.ts';

test('headers that are too large, malformed or late are answered and the connection closed', async () => {
  await using door = await openDoor({ limits: { headerBytes: 8192, headersTimeout: 300, headersCheckInterval: 50 } });
  const large = await door.raw(`GET / HTTP/1.1\r\nhost: x\r\nx-filler: ${'x'.repeat(9000)}\r\n\r\n`);
  assert.match(large, /^HTTP\/1\.1 431 [\s\S]*"headers_too_large"/);
  for (const nonsense of [
    'nonsense\r\n\r\n',
    'GET / HTTP/1.1\r\nhost\r\n\r\n',
    'GET / HTTP/1.1\r\nhost: x\r\n bad: y\r\n: z\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  ])
    assert.match(await door.raw(nonsense), /^HTTP\/1\.1 400 [\s\S]*"malformed_request"/, nonsense);
  assert.match(await door.raw('GET / HTTP/1.1\r\nhost: x\r\n'), /^HTTP\/1\.1 408 [\s\S]*"request_timeout"/);
  assert.match(await door.raw('GET / HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /);
});

test('a body that stops arriving is answered with 408 and leaves nothing', async () => {
  await using door = await openDoor({ limits: { idleTimeout: 200 } });
  const { id } = await door.newPackage();
  const before = await door.lastSequence();
  for (const request of [
    `PUT /packages/${id}/files/slow HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: 10\r\n\r\nhalf`,
    `POST /packages HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{`,
    `POST /packages/${id}/files HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 100\r\n\r\n--b\r\n`,
  ])
    assert.match(await door.raw(request), /^HTTP\/1\.1 408 [\s\S]*"request_timeout"/, request);
  assert.equal(await door.lastSequence(), before);
});

test('a body that came while this process was held up is not told as silent', async () => {
  await using door = await openDoor({ limits: { idleTimeout: 1_000 } });
  const { id } = await door.newPackage();
  const socket = await door.connect();
  socket.write(
    `PUT /packages/${id}/files/held HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: 10\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once('data', resolve));
  const answer = drain(socket);
  socket.write('0123456789');
  for (const end = performance.now() + 1_500; performance.now() < end; );
  assert.match(await answer, /^HTTP\/1\.1 201 /);
});

test('a body that drips continues for as long as it is not silent', async () => {
  await answers(201, (pace) => {
    const bounds = { idleTimeout: 400 * pace, headersTimeout: 300 * pace, headersCheckInterval: 50 };
    return drip([...'0123456789'], 80 * pace, bounds);
  });
});

test('with a least rate, a body that drips is answered with 408, and one that is fast enough is not', async () => {
  for (const [bytes, status] of [
    [1, 408],
    [1_000, 201],
  ] as const) {
    const pieces = Array.from({ length: 10 }, () => 'x'.repeat(bytes));
    const answer = await answers(status, (pace) => drip(pieces, 60 * pace, { idleTimeout: 300 * pace, uploadBytesPerSecond: 1_000 }));
    if (status === 408)
      assert.match(
        answer,
        /"info":\{"bound":"upload_bytes_per_second","limit":1000,"variable":"ARTIFACTSTORE_MIN_UPLOAD_BYTES_PER_SECOND"\}/,
      );
  }
});

/**
 * Sends a file piece by piece, with a pause before each; what the server says of it, and whether this process, which is
 * sender and server, was held up for so long that it says nothing of the bounds.
 */
async function drip(
  pieces: readonly string[],
  milliseconds: number,
  bounds: Partial<Limits> & Pick<Limits, 'idleTimeout'>,
): Promise<Dripped> {
  await using door = await openDoor({ limits: bounds });
  const { id } = await door.newPackage();
  const socket = await door.connect();
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  socket.write(
    `PUT /packages/${id}/files/drip HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n` +
      `content-length: ${pieces.join('').length}\r\nconnection: close\r\n\r\n`,
  );
  const answered = drain(socket);
  for (const piece of pieces) {
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    if (socket.writable) socket.write(piece);
  }
  const answer = await answered;
  delay.disable();
  return { answer, heldUp: delay.max / 1e6 > bounds.idleTimeout / 2 };
}

interface Dripped {
  readonly answer: string;
  readonly heldUp: boolean;
}

/** At a slower pace where the first one was too much for this process. */
async function answers(status: number, drip: (pace: number) => Promise<Dripped>): Promise<string> {
  let dripped = await drip(1);
  for (const pace of [5, 25]) if (dripped.heldUp && !dripped.answer.startsWith(`HTTP/1.1 ${status} `)) dripped = await drip(pace);
  assert.match(dripped.answer, new RegExp(`^HTTP/1\\.1 ${status} `));
  return dripped.answer;
}

test('request ids are taken when sane and made when not', async () => {
  await using door = await openDoor();
  const idOf = async (given: string) =>
    (await fetch(`${door.url}/livez`, { headers: { 'x-request-id': given } })).headers.get('x-request-id');
  assert.equal(await idOf('build-7.step:2_x'), 'build-7.step:2_x');
  for (const bad of ['', 'a b', 'x'.repeat(129), '"{}"', 'a\u00e9']) assert.match((await idOf(bad)) ?? '', /^[0-9a-f-]{36}$/, bad);
});

test('the log has one line for each request, and never a token or a query', async () => {
  await using door = await openDoor();
  const { id } = await door.newPackage();
  await (await door.call(`/packages/${id}?password=hunter2`)).text();
  await (await door.call(`/packages/${id}/files/x`, { method: 'PUT', body: 'abc' })).text();
  await (await fetch(`${door.url}/packages`, { headers: { authorization: 'Bearer wrong-secret' } })).text();
  await until(() => door.lines.filter((line) => line.includes('"msg":"request"')).length === 3);
  const [, put, refused] = door.lines
    .filter((line) => line.includes('"msg":"request"'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    [put!.method, put!.route, put!.path, put!.status, put!.actor, put!.bytes_in],
    ['PUT', '/packages/:id/files/*', `/packages/${id}/files/x`, 201, actor, 3],
  );
  assert.ok(Number(put!.bytes_out) > 100 && typeof put!.milliseconds === 'number' && typeof put!.request_id === 'string');
  assert.deepEqual([refused!.status, refused!.actor], [401, 'anonymous']);
  assert.doesNotMatch(door.lines.join(''), new RegExp(`${token}|hunter2|wrong-secret`));
});

test('a server that stops finishes what it has begun and takes nothing new', async () => {
  const door = await openDoor();
  const { id } = await door.newPackage();
  const socket = await door.connect();
  socket.write(
    `PUT /packages/${id}/files/last HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: 10\r\nexpect: 100-continue\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once('data', resolve));
  socket.write('01234');
  const closing = door.door.close();
  await until(() => !door.door.listening());
  await assert.rejects(door.connect());
  socket.write('56789');
  assert.match(await drain(socket), /^HTTP\/1\.1 201 /);
  await closing;
  assert.equal((await door.registry.files.find(id, 'last'))?.size_bytes, 10);
  await door.store.close();
});

test('a server that stops waits for no connection without a request, no event stream and no waiting reader', async () => {
  const door = await openDoor();
  const silent = drain(await door.connect());
  const begun = await door.connect();
  begun.write('GET /livez HTTP/1.1\r\nhost: x\r\n');
  const idle = await door.connect();
  idle.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n');
  await new Promise((resolve) => idle.once('data', resolve));
  const ask = async (accept: string, path: string) => {
    const socket = await door.connect();
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\naccept: ${accept}\r\nauthorization: ${authorization}\r\n\r\n`);
    return socket;
  };
  const stream = await ask('text/event-stream', '/events');
  let streamed = '';
  stream.on('data', (chunk: Buffer) => {
    streamed = `${streamed}${chunk.toString('latin1')}`.slice(-2_000_000);
  });
  const behind = await ask('text/event-stream', '/events');
  await new Promise((resolve) => behind.once('data', resolve));
  behind.pause();
  const poll = drain(await ask('application/json', '/events?since=1000&wait=60'));
  const metadata = { filler: 'x'.repeat(900_000) };
  for (let index = 0; index < 12; index += 1)
    await door.registry.packages.create({ name: 'n', producer: 'p', subject: 's', retention_class: 'transient', metadata });
  const last = await door.lastSequence();
  await until(() => streamed.includes(`\nid: ${last}\n`) && streamed.endsWith('\n\n\r\n'));

  const begin = performance.now();
  await door.door.close();
  assert.ok(performance.now() - begin < 20_000, 'it waited');
  assert.equal(await silent, '');
  await until(() => stream.closed);
  assert.match(streamed.slice(-10), /\r\n0\r\n\r\n$/, 'the stream has its proper end');
  assert.match(await poll, /^HTTP\/1\.1 200 [\s\S]*"last_sequence":/);
  for (const socket of [begun, idle, behind]) socket.destroy();
  await door.store.close();
});

test('what does not end in its time is cut off', async () => {
  const door = await openDoor({ limits: { graceTimeout: 200 } });
  const { id } = await door.newPackage();
  const before = await door.lastSequence();
  const socket = await door.connect();
  socket.write(
    `PUT /packages/${id}/files/never HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: 10\r\nexpect: 100-continue\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once('data', resolve));
  const ended = drain(socket);
  await door.door.close();
  await ended;
  assert.equal(await door.lastSequence(), before);
  await door.store.close();
});

test('a request target with scheme and host means its path', async () => {
  await using door = await openDoor();
  const answer = await door.raw('GET http://example.test/livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 200 /);
});

test('a method that no route has is 405, a file that is not there is 404, and nonsense is in the log', async () => {
  await using door = await openDoor();
  for (const method of ['QUERY', 'PROPFIND', 'PUT'])
    assert.match(
      await door.raw(`${method} /packages HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`),
      /^HTTP\/1\.1 405 [\s\S]*allow: [A-Z, ]*GET/,
    );
  assert.match(await door.raw('QUERY /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'), /^HTTP\/1\.1 404 /);
  assert.equal((await fetch(`${door.url}/docs/static/nope.js`)).status, 404);
  const answer = await door.raw('nonsense\r\n\r\n');
  const [, id] = /x-request-id: ([0-9a-f-]{36})\r\n/.exec(answer) ?? [];
  assert.ok(answer.includes(`"request_id":"${id}"`));
  assert.ok(door.lines.some((line) => line.includes(`"request_id":"${id}","status":400`)));
});

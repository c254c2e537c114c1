import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorization, drain, until } from './open-door.ts';
import { changesNothing, door, head, id } from './upload-door.ts';

test('a body that is cut short leaves nothing, whichever way it is framed', async () => {
  const bodies = [
    ['content-length: 1000000\r\n', 'x'.repeat(1000)],
    ['content-length: 2\r\n', 'x'],
    ['content-length: 5000000\r\n', 'x'.repeat(3_000_000)],
    ['transfer-encoding: chunked\r\n', '5\r\nhello\r\n'],
    ['transfer-encoding: chunked\r\n', '5\r\nhello\r\n0\r\n'],
    ['transfer-encoding: chunked\r\n', 'ffff\r\nhello'],
  ] as const;
  for (const way of ['end', 'resetAndDestroy'] as const)
    await changesNothing(async () => {
      for (const [framing, body] of bodies) {
        const seen = door.lines.length;
        const socket = await door.connect();
        socket.on('error', () => {});
        await new Promise((resolve) => socket.write(head('cut', framing) + body, resolve));
        socket[way]();
        await drain(socket);
        await until(() => door.lines.slice(seen).some((line) => line.includes('"msg":"request"')));
      }
      assert.equal(await door.registry.files.find(id, 'cut'), undefined);
    });
});

test('a malformed chunked body leaves nothing', async () => {
  await changesNothing(async () => {
    for (const body of ['zz\r\nhello\r\n0\r\n\r\n', '5\r\nhelloworld\r\n0\r\n\r\n', '-5\r\nhello\r\n'])
      assert.match(await door.raw(head('chunks', 'transfer-encoding: chunked\r\n'), body), /^HTTP\/1\.1 400 /);
  });
});

test('lengths that lie are refused by the parser', async () => {
  await changesNothing(async () => {
    for (const lie of [
      'content-length: -1\r\n',
      'content-length: 1, 2\r\n',
      'content-length: 1\r\ncontent-length: 2\r\n',
      'content-length: x\r\n',
      'content-length: 1\r\ntransfer-encoding: chunked\r\n',
    ])
      assert.match(await door.raw(head('lie', lie), 'xx'), /^HTTP\/1\.1 400 /, lie);
  });
  // Bytes beyond the stated length are another request, and not one that is understood; they are never part of the
  // file.
  assert.match(await door.raw(head('short', 'content-length: 2\r\n'), 'abcdef\r\n\r\n'), /HTTP\/1\.1 400 /);
  assert.ok([undefined, 2].includes((await door.registry.files.find(id, 'short'))?.size_bytes));
});

test('"100 Continue" is said only to a request that is not refused for its headers', async () => {
  const expect = 'content-length: 5\r\nexpect: 100-continue\r\nconnection: close\r\n';
  const socket = await door.connect();
  socket.write(head('waited', expect));
  const [go] = await new Promise<Buffer[]>((resolve) => socket.once('data', (chunk: Buffer) => resolve([chunk])));
  assert.match(go!.toString(), /^HTTP\/1\.1 100 Continue\r\n/);
  socket.write('hello');
  assert.match(await drain(socket), /HTTP\/1\.1 201 /);

  const missing = '01890000-0000-7000-8000-000000000000';
  await changesNothing(async () => {
    for (const [request, status] of [
      [head('x', expect).replace(authorization, 'Bearer wrong'), 401],
      [head('x', expect).replace(id, missing), 404],
      [head('../x', expect), 400],
      [head('x', `content-digest: nonsense=\r\n${expect}`), 400],
      [head('x', `content-encoding: br\r\n${expect}`), 415],
      [head('x', expect).replace('PUT', 'PATCH'), 405],
    ] as const) {
      const answer = await door.raw(request);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), request);
    }
  });
});

test('a refused sender of a large body gets to see the answer', async () => {
  const body = Buffer.alloc(20_000_000);
  await changesNothing(async () => {
    // A sender that reads only when all is sent: had the connection been closed under it, the answer would be gone.
    const socket = await door.connect();
    socket.on('error', () => {});
    await new Promise((resolve) => {
      socket.once('close', resolve);
      socket.write(head('big', `content-length: ${body.length}\r\n`).replace(authorization, 'Bearer wrong'));
      socket.write(body, resolve);
    });
    const answer = await drain(socket);
    assert.match(answer, /^HTTP\/1\.1 401 /);
    assert.match(answer, /connection: close/i);
  });
});

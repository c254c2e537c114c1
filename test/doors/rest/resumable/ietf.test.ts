import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { assertProblem, authorization, drain } from '../open-door.ts';
import { door, id, put } from '../upload-door.ts';
import { begin, holds, patch, patchLine, reads, sha256 } from './ietf-door.ts';

test('a second PATCH of the same upload ends the first', async () => {
  for (let wait = 300; ; wait *= 2) {
    const path = `ended-${wait}`;
    const where = await begin(path, 'ab', { 'upload-length': '10' });
    const first = await door.connect();
    first.write(`${patchLine(where, 2)}upload-complete: ?1\r\ncontent-length: 8\r\n\r\ncde`);
    const answered = reads(first, /^HTTP\/1\.1 409 [\s\S]*upload_superseded/);
    await setTimeout(wait);
    const second = await patch(where, 5, '?1', 'fghij');
    if (second.status === 201) {
      await answered;
      first.destroy();
      return await holds(path, 'abcdefghij');
    }
    // What the first has sent has not come yet.
    await assertProblem(second, 409, 'upload_offset_mismatch');
    answered.catch(() => undefined);
    first.destroy();
  }
});

test('a writer that is ended while it is silent, and then sends on, gets to see why', async () => {
  const where = await begin('silent', 'ab', { 'upload-length': '20000010' });
  const body = Buffer.alloc(20_000_000);
  const first = await door.connect();
  first.on('error', () => {});
  first.write(`${patchLine(where, 2)}upload-complete: ?0\r\ncontent-length: ${body.length}\r\n\r\n`);
  await setTimeout(300);
  assert.equal((await door.call(where, { method: 'HEAD' })).status, 200);
  // It reads only when all is sent.
  await new Promise((resolve) => {
    first.once('close', resolve);
    first.write(body, resolve);
  });
  assert.match(await drain(first), /^HTTP\/1\.1 409 [\s\S]*upload_superseded/);
});

test('a body of unknown length says with its end what the whole has, and in its trailers nothing of its bytes', async () => {
  const where = await begin('short', 'abc', { 'upload-length': '9' });
  const socket = await door.connect();
  const chunked = `${patchLine(where, 3)}transfer-encoding: chunked\r\n`;
  socket.write(`${chunked}upload-complete: ?0\r\ntrailer: content-digest\r\n\r\n0\r\n\r\n`);
  await reads(socket, /^HTTP\/1\.1 400 [\s\S]*invalid_header/);
  socket.destroy();
  const again = await door.connect();
  again.write(`${chunked}upload-complete: ?1\r\n\r\n3\r\ndef\r\n0\r\n\r\n`);
  await reads(again, /^HTTP\/1\.1 400 [\s\S]*upload_length_mismatch/);
  again.destroy();
});

test('a client of HTTP/1.0 is told nothing on the way, and its whole file is put as any other', async () => {
  const socket = await door.connect();
  socket.write(
    `PUT /packages/${id}/files/old HTTP/1.0\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: 3\r\n` +
      'upload-complete: ?1\r\nupload-draft-interop-version: 8\r\n\r\nabc',
  );
  await reads(socket, /^HTTP\/1\.1 201 /);
  socket.destroy();
});

test('an upload that allows only for a file of its own is refused where somebody else was faster', async () => {
  const socket = await door.connect();
  socket.write(
    `PUT /packages/${id}/files/race HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: 3\r\n` +
      'upload-complete: ?1\r\nupload-draft-interop-version: 8\r\nif-none-match: *\r\n\r\nab',
  );
  await reads(socket, /location: (\S+)\r\n/);
  assert.equal((await put('race', 'abc')).status, 201);
  socket.write('c');
  await reads(socket, /HTTP\/1\.1 412 [\s\S]*precondition_failed/);
  socket.destroy();
});

test('an upload that has become its file says so to who adds to what is checked of it', async () => {
  const where = await begin('done', 'abc', { 'upload-length': '3' });
  assert.equal((await patch(where, 3, '?1', null)).status, 201);
  assert.equal((await patch(where, 3, '?1', null)).status, 201);
  await assertProblem(await patch(where, 3, '?1', null, { 'content-digest': sha256('x') }), 409, 'upload_finished');
});

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Grant } from '../../../../src/kernel/access.ts';
import type { File, Upload } from '../../../../src/registry/REGISTRY.ts';
import { createPrincipals } from '../access/principals.ts';
import { assertProblem, authorization, type Door, openDoor, until } from '../open-door.ts';

let door: Door;
before(async () => {
  door = await openDoor();
});
after(() => door[Symbol.asyncDispose]());

async function begin(body: unknown = {}): Promise<Upload> {
  const response = await door.json('/uploads', body);
  assert.equal(response.status, 201);
  const upload = (await response.json()) as Upload;
  assert.equal(response.headers.get('location'), `/uploads/${upload.id}`);
  assert.equal(response.headers.get('upload-offset'), '0');
  return upload;
}

const put = (id: string, body: NonNullable<RequestInit['body']>, range?: string, headers: Record<string, string> = {}): Promise<Response> =>
  door.call(`/uploads/${id}`, {
    method: 'PUT',
    body,
    headers: { ...headers, ...(range === undefined ? {} : { 'content-range': `bytes ${range}` }) },
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  });

async function offsetOf(id: string): Promise<number> {
  const response = await door.call(`/uploads/${id}`, { method: 'HEAD' });
  assert.equal(response.status, 200);
  return Number(response.headers.get('upload-offset'));
}

async function complete(id: string, path: string): Promise<Response> {
  const { id: package_id } = await door.newPackage();
  return await door.json(`/uploads/${id}/complete`, { package_id, relative_path: path, media_type: 'text/plain' });
}

function listen(socket: Socket): () => string {
  let heard = '';
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1');
  });
  return () => heard;
}

async function* parts(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}
const streamed = (...texts: string[]): ReadableStream => ReadableStream.from(parts(...texts));

test('the whole body at once, as clients of 0.1 send it', async () => {
  const { id } = await begin({ expected_size_bytes: 5, media_type: null });
  const response = await put(id, 'hello');
  assert.equal(response.status, 200);
  assert.equal(((await response.json()) as Upload).offset_bytes, 5);
  assert.equal(await offsetOf(id), 5);
  const { id: package_id } = await door.newPackage();
  const name = { package_id, relative_path: 'a/b', media_type: 'text/plain' };
  const made = await door.json(`/uploads/${id}/complete`, name);
  assert.equal(made.status, 201);
  const file = (await made.json()) as File;
  assert.equal(made.headers.get('location'), `/files/${file.id}`);
  assert.deepEqual([file.relative_path, file.media_type, file.size_bytes], ['a/b', 'text/plain', 5]);
  assert.equal(file.digest_sha256, createHash('sha256').update('hello').digest('hex'));
  // An answer that was lost can be had again.
  const again = await door.json(`/uploads/${id}/complete`, name);
  assert.equal(again.status, 201);
  assert.deepEqual(await again.json(), file);
  assert.equal(await (await door.call(`/packages/${package_id}/files/a/b`)).text(), 'hello');
  await assertProblem(await put(id, 'hello'), 409, 'upload_finished');
  await assertProblem(await door.call(`/uploads/${id}`, { method: 'DELETE' }), 409, 'upload_finished');
});

test('a body of unknown length, an empty one, and ranges with and without the length of the whole', async () => {
  const chunked = await begin();
  assert.equal((await put(chunked.id, streamed('he', 'llo'))).status, 200);
  assert.equal(((await (await complete(chunked.id, 'x')).json()) as File).size_bytes, 5);

  const empty = await begin();
  assert.equal((await put(empty.id, '')).status, 200);
  assert.equal((await complete(empty.id, 'x')).status, 201);

  const ranged = await begin();
  assert.equal((await put(ranged.id, 'hel', '0-2/*')).status, 200);
  assert.equal((await put(ranged.id, streamed('l', 'o'), '3-4/7')).status, 200);
  assert.equal((await put(ranged.id, ' !', '5-6/7')).status, 200);
  const file = (await (await complete(ranged.id, 'x')).json()) as File;
  assert.equal(file.digest_sha256, createHash('sha256').update('hello !').digest('hex'));
});

test('what is wrong with a range is said, and changes nothing', async () => {
  const { id } = await begin({ expected_size_bytes: 10 });
  assert.equal((await put(id, 'hello', '0-4/10')).status, 200);
  for (const range of ['x', '0', '-1-4/10', '4-0/10', '0-10/10', '0-4', '0-4/', 'a-b/c', '1e1-11/20', '99999999999999999-1/2', '*/10'])
    assert.equal((await assertProblem(await put(id, 'hello', range), 400, 'invalid_header')).field, 'content-range', range);
  for (const range of ['0-4/10', '4-8/10', '6-9/10']) {
    const { info } = await assertProblem(await put(id, 'x'.repeat(range === '6-9/10' ? 4 : 5), range), 409, 'upload_offset_mismatch');
    assert.deepEqual(info, { offset_bytes: 5 });
  }
  await assertProblem(await put(id, 'whole'), 409, 'upload_offset_mismatch');
  await assertProblem(await put(id, '1234', '5-9/10'), 400, 'length_mismatch');
  await assertProblem(await put(id, '123456', '5-9/10'), 400, 'length_mismatch');
  await assertProblem(await put(id, '12345', '5-9/11'), 400, 'upload_length_mismatch');
  await assertProblem(await put(id, '123456', '5-10/*'), 400, 'upload_length_mismatch');
  const whole = { 'repr-digest': `sha-256=:${createHash('sha256').update('12345').digest('base64')}:` };
  assert.equal((await assertProblem(await put(id, '12345', '5-9/10', whole), 400, 'invalid_header')).field, 'repr-digest');
  const wrong = { 'content-digest': `sha-256=:${createHash('sha256').update('other').digest('base64')}:` };
  await assertProblem(await put(id, '12345', '5-9/10', wrong), 400, 'digest_mismatch');
  await assertProblem(await complete(id, 'x'), 409, 'upload_incomplete');
  assert.equal((await put(id, '12345', '5-9/10')).status, 200);
  const file = (await (await complete(id, 'x')).json()) as File;
  assert.equal(file.digest_sha256, createHash('sha256').update('hello12345').digest('hex'));
});

test('a range of unknown length of the body has its bytes, and no digest behind them', async () => {
  const { id } = await begin();
  await assertProblem(await put(id, streamed('123456'), '0-4/*'), 400, 'length_mismatch');
  assert.equal(await offsetOf(id), 0);
  await assertProblem(await put(id, streamed('123'), '0-4/*'), 400, 'length_mismatch');
  assert.equal(await offsetOf(id), 3);
  const socket = await door.connect();
  const heard = listen(socket);
  socket.write(
    `PUT /uploads/${id} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-range: bytes 3-4/5\r\n` +
      'transfer-encoding: chunked\r\ntrailer: content-digest\r\n\r\n2\r\n45\r\n0\r\n\r\n',
  );
  await until(() => /^HTTP\/1\.1 400 .*invalid_header/s.test(heard()));
  assert.equal(await offsetOf(id), 3);
  socket.destroy();
});

test('a body without a range is the whole', async () => {
  const ended = await begin();
  assert.equal(((await (await put(ended.id, 'abc')).json()) as Upload).size_bytes, 3);
  await assertProblem(await put(ended.id, 'd', '3-3/*'), 400, 'upload_length_mismatch');
  const { id } = await begin({ expected_size_bytes: 10 });
  await assertProblem(await put(id, streamed('abc')), 400, 'upload_length_mismatch');
});

test('what came of a body that breaks off counts, and the next request ends one that hangs', async () => {
  const { id } = await begin({ expected_size_bytes: 10 });
  const headers = `host: x\r\nauthorization: ${authorization}\r\ncontent-range: bytes 0-9/10\r\ncontent-length: 10\r\n\r\n`;
  let heard = (): string => '';
  let offset = 0;
  // Ended before its first byte was read, it is sent again.
  while (offset === 0) {
    const hanging = await door.connect();
    heard = listen(hanging);
    hanging.write(`PUT /uploads/${id} HTTP/1.1\r\n${headers}hello`);
    await setTimeout(100);
    offset = await offsetOf(id);
  }
  assert.equal(offset, 5);
  await until(() => /^HTTP\/1\.1 409 .*upload_superseded/s.test(heard()));
  assert.equal((await put(id, 'world', '5-9/10')).status, 200);
  assert.equal((await complete(id, 'x')).status, 201);
});

test('an upload is there for who began it alone', async () => {
  const callers = createPrincipals();
  await using shared = await openDoor({ identity: callers.identity });
  const grants: readonly Grant[] = [{ role: 'writer', producers: [{ exact: 'p' }] }];
  const [own, others] = ['first', 'second'].map((actor) => callers.tokenOf({ actor, share: actor, grants }));
  const ask = (token: string, path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${shared.url}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } });
  const { id } = (await (await ask(own!, '/uploads', { method: 'POST' })).json()) as Upload;
  const answers = async (path: string) => {
    const body = JSON.stringify({ package_id: id, relative_path: 'x' });
    const asked = [
      await ask(others!, path),
      await ask(others!, path, { method: 'PUT', body: 'x' }),
      await ask(others!, path, { method: 'DELETE' }),
      await ask(others!, `${path}/complete`, { method: 'POST', body }),
    ];
    return await Promise.all(asked.map(async (response) => (await assertProblem(response, 404, 'upload_not_found')).detail));
  };
  const nobodys = id.replace(/.{12}$/, '000000000000');
  assert.deepEqual(
    (await answers(`/uploads/${id}`)).map((detail) => String(detail).replaceAll(id, '')),
    (await answers(`/uploads/${nobodys}`)).map((detail) => String(detail).replaceAll(nobodys, '')),
  );
  assert.equal((await ask(own!, `/uploads/${id}`, { method: 'PUT', body: 'x' })).status, 200);
});

test('an upload is abandoned once, and then says so', async () => {
  const { id } = await begin();
  await assertProblem(await door.call('/uploads/x'), 400, 'invalid_id');
  await assertProblem(await fetch(`${door.url}/uploads/${id}`), 401, 'unauthorized');
  for (let times = 0; times < 2; times++) {
    const response = await door.call(`/uploads/${id}`, { method: 'DELETE' });
    assert.deepEqual([response.status, await response.text()], [204, '']);
  }
  await assertProblem(await door.call(`/uploads/${id}`), 404, 'upload_not_found');
  const { info } = await assertProblem(await put(id, 'x'), 404, 'upload_not_found');
  assert.deepEqual(info, { state: 'abandoned' });
  await assertProblem(await complete(id, 'x'), 404, 'upload_not_found');
});

test('a body that is none of an upload is refused', async () => {
  await assertProblem(await door.json('/uploads', { expected_size_bytes: -1 }), 422, 'invalid_value');
  await assertProblem(await door.json('/uploads', { expected_size_bytes: '5' }), 400, 'malformed_request');
  await assertProblem(await door.json('/uploads', { size: 5 }), 400, 'malformed_request');
  await assertProblem(await door.json('/uploads', { media_type: 'no' }), 422, 'invalid_value');
  assert.equal((await door.call('/uploads', { method: 'POST' })).status, 201);
  const { id } = await begin();
  await assertProblem(await door.json(`/uploads/${id}/complete`, { relative_path: 'x' }), 400, 'malformed_request');
  const { id: package_id } = await door.newPackage();
  await assertProblem(await door.json(`/uploads/${id}/complete`, { package_id, relative_path: '../x' }), 400, 'invalid_path');
  for (const content_address of ['crc32:00000000', `blake2b:${'0'.repeat(64)}`]) {
    const response = await door.json(`/uploads/${id}/complete`, { package_id, relative_path: 'x', content_address });
    assert.equal((await assertProblem(response, 422, 'invalid_value')).field, '/content_address');
  }
  await assertProblem(await put(id, 'x', undefined, { 'content-encoding': 'gzip' }), 415, 'unsupported_media_type');
});

test('a length that no upload can have is refused as one, and not for what else is open', async () => {
  const most = 5_497_558_138_880;
  const isRefused = async (response: Response, what: RegExp) => {
    const { info, detail } = await assertProblem(response, 403, 'too_many_uploads');
    assert.deepEqual(info, { bound: 'open_upload_bytes', limit: most });
    assert.match(String(detail), what);
  };
  const alone = /^An upload can have at most 5497558138880 bytes, and this one would have 5497558138881; split /;
  const { id } = await begin();
  await isRefused(await door.json('/uploads', { expected_size_bytes: most + 1 }), alone);
  await isRefused(await put(id, 'x', `0-0/${most + 1}`), alone);
  const { id: large } = await begin({ expected_size_bytes: most - 1_000_000_000 });
  await isRefused(
    await door.json('/uploads', { expected_size_bytes: 2_000_000_000 }),
    /^The open uploads of .* with this one; finish or abandon some/,
  );
  await isRefused(await door.json('/uploads', { expected_size_bytes: most + 1 }), alone);
  assert.equal((await door.call(`/uploads/${large}`, { method: 'DELETE' })).status, 204);
});

test('a sender that falls silent is told, and what it sent counts', async () => {
  await using slow = await openDoor({ limits: { idleTimeout: 300 } });
  const { id } = (await (await slow.json('/uploads', { expected_size_bytes: 10 })).json()) as Upload;
  const socket = await slow.connect();
  socket.write(
    `PUT /uploads/${id} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-range: bytes 0-9/10\r\ncontent-length: 10\r\n\r\nhello`,
  );
  const heard = listen(socket);
  await until(() => /^HTTP\/1\.1 408 .*request_timeout/s.test(heard()));
  const { offset_bytes } = (await (await slow.call(`/uploads/${id}`)).json()) as Upload;
  assert.equal(offset_bytes, 5);
});

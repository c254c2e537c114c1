import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { assertProblem, authorization, type Door, openDoor } from '../open-door.ts';
import { door, head, id, put } from '../upload-door.ts';
import { begin, holds, offsetOf, patch, reads, sha256 } from './ietf-door.ts';

test('a file comes in parts, and the last one is answered as a PUT of the whole is', async () => {
  const where = await begin('parts', 'abc', { 'content-type': 'text/plain', 'upload-length': '9' });
  const asked = await door.call(where, { method: 'HEAD' });
  assert.deepEqual([asked.status, ...offsetOf(asked)], [200, '3', '?0']);
  assert.equal(asked.headers.get('upload-length'), '9');
  assert.match(asked.headers.get('upload-limit')!, /^max-size=\d+, max-age=\d+$/);
  assert.equal(asked.headers.get('cache-control'), 'no-store');
  const more = await patch(where, 3, '?0', 'def');
  assert.deepEqual([more.status, ...offsetOf(more)], [204, '6', '?0']);
  const last = await patch(where, 6, '?1', 'ghi', { 'repr-digest': sha256('abcdefghi') });
  assert.deepEqual([last.status, ...offsetOf(last)], [201, '9', '?1']);
  const file = (await last.json()) as { readonly id: string; readonly relative_path: string; readonly media_type: string };
  assert.deepEqual([file.relative_path, file.media_type], ['parts', 'text/plain']);
  assert.equal(last.headers.get('location'), `/files/${file.id}`);
  await holds('parts', 'abcdefghi');
  const after = await door.call(where);
  assert.deepEqual([after.status, ...offsetOf(after)], [200, '9', '?1']);
  assert.equal(((await after.json()) as { readonly file_id: string }).file_id, file.id);
  // An answer that was lost can be had again.
  const again = await patch(where, 9, '?1', null);
  assert.deepEqual([again.status, ((await again.json()) as { readonly id: string }).id], [201, file.id]);
  const chunked = (body: string): Promise<string> =>
    door.raw(
      `PATCH ${where} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\nconnection: close\r\nupload-offset: 9\r\n` +
        `upload-complete: ?1\r\ncontent-type: application/partial-upload\r\ntransfer-encoding: chunked\r\n\r\n`,
      body,
    );
  assert.match(await chunked('0\r\n\r\n'), new RegExp(`^HTTP/1\\.1 201 [\\s\\S]*${file.id}`));
  assert.match(await chunked('1\r\nx\r\n0\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*upload_length_mismatch/);
});

test('all bytes may be there before the client says that it is the whole', async () => {
  const where = await begin('later', 'abcdef', { 'upload-length': '6' });
  assert.deepEqual(offsetOf(await door.call(where, { method: 'HEAD' })), ['6', '?0']);
  assert.equal(await door.registry.files.find(id, 'later'), undefined);
  assert.equal((await patch(where, 6, '?1', null)).status, 201);
  await holds('later', 'abcdef');
  const unknown = await begin('empty', '');
  assert.equal((await patch(unknown, 0, '?1', null)).status, 201);
  await holds('empty', '');
});

test('a whole file from a client that is told nothing is put as any other', async () => {
  const answer = await put('whole', 'abc', { 'upload-complete': '?1', 'upload-length': '3', 'upload-draft-interop-version': '7' });
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get('upload-complete'), null);
  await holds('whole', 'abc');
  await assertProblem(await put('whole-2', 'abc', { 'upload-complete': '?1', 'upload-length': '4' }), 400, 'upload_length_mismatch');
});

test('an upload that breaks off is continued where 104 said, and 104 is for those who understand it', async () => {
  const bytes = randomBytes(3_000_000);
  const socket = await door.connect();
  socket.write(
    head(
      'broken',
      `content-length: ${bytes.length}\r\nupload-complete: ?1\r\nupload-draft-interop-version: 8\r\nrepr-digest: ${sha256(bytes)}\r\n`,
    ),
  );
  const [, told] = await reads(socket, /^HTTP\/1\.1 104 .*\r\n([\s\S]*?)\r\n\r\n/);
  const where = /location: (\S+)/.exec(told!)![1]!;
  assert.match(told!, /upload-draft-interop-version: 8/);
  assert.match(told!, /upload-limit: max-size=\d+, max-age=\d+/);
  await new Promise((resolve) => socket.write(bytes.subarray(0, 2_500_000), resolve));
  socket.resetAndDestroy();
  const asked = await door.call(where, { method: 'HEAD' });
  const offset = Number(asked.headers.get('upload-offset'));
  assert.ok(offset >= 0 && offset <= 2_500_000);
  assert.deepEqual([asked.headers.get('upload-complete'), asked.headers.get('upload-length')], ['?0', '3000000']);
  const answer = await patch(where, offset, '?1', bytes.subarray(offset));
  assert.equal(answer.status, 201, await answer.clone().text());
  await holds('broken', bytes);

  for (const version of ['', 'upload-draft-interop-version: 7\r\n', 'upload-draft-interop-version: x\r\n'])
    assert.match(
      await door.raw(head(`silent-${version.length}`, `content-length: 1\r\nconnection: close\r\nupload-complete: ?0\r\n${version}`), 'x'),
      /^HTTP\/1\.1 201 /,
    );
});

test('a second request for the same upload ends the first, of whose connection nothing is waited for', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const before = timers();
  const where = await begin('two', 'ab', { 'upload-length': '10' });
  const first = await door.connect();
  const line = `PATCH ${where} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\nupload-complete: ?1\r\nupload-offset: 2\r\n`;
  first.write(`${line}content-type: application/partial-upload\r\ncontent-length: 8\r\n\r\ncde`);
  const answered = reads(first, /^HTTP\/1\.1 409 [\s\S]*upload_superseded/);
  await setTimeout(300);
  const asked = await door.call(where, { method: 'HEAD' });
  const offset = Number(asked.headers.get('upload-offset'));
  assert.ok(offset === 5 || offset === 2, `${offset}`);
  await answered;
  first.destroy();
  assert.equal((await patch(where, offset, '?1', 'cdefghij'.slice(offset - 2))).status, 201);
  await holds('two', 'abcdefghij');
  while (timers() > before) await setImmediate();
});

test('what is wrong is said, each with its own code, and the upload stays as it is', async () => {
  const where = await begin('wrong', 'abc', { 'upload-length': '9' });
  for (const offset of [0, 2, 4, 9]) {
    const answer = await patch(where, offset, '?0', 'x');
    assert.deepEqual(offsetOf(answer), ['3', '?0']);
    const problem = await assertProblem(answer, 409, 'upload_offset_mismatch');
    assert.equal(problem.type, 'https://iana.org/assignments/http-problem-types#mismatching-upload-offset');
    assert.deepEqual([problem['expected-offset'], problem['provided-offset']], [3, offset]);
  }
  for (const [complete, body, more] of [
    ['?0', 'defghij', {}],
    ['?1', 'def', {}],
    ['?0', 'def', { 'upload-length': '10' }],
    ['?1', 'defghi', { 'upload-length': '10' }],
  ] as const) {
    const problem = await assertProblem(await patch(where, 3, complete, body, more), 400, 'upload_length_mismatch');
    assert.equal(problem.type, 'https://iana.org/assignments/http-problem-types#inconsistent-upload-length');
  }
  for (const [field, value] of [
    ['upload-offset', '-1'],
    ['upload-offset', '3.0'],
    ['upload-offset', 'three'],
    ['upload-offset', '3, 3'],
    ['upload-offset', '9007199254740993'],
    ['upload-complete', '1'],
    ['upload-complete', 'true'],
    ['upload-length', '?1'],
    ['upload-incomplete', '?1'],
    ['content-digest', 'sha-256=x'],
    ['repr-digest', sha256('abcdef')],
  ] as const)
    await assertProblem(await patch(where, 3, '?0', 'def', { [field]: value }), 400, 'invalid_header');
  for (const missing of ['upload-offset', 'upload-complete'] as const) {
    const headers = { 'content-type': 'application/partial-upload', 'upload-offset': '3', 'upload-complete': '?0' };
    const { [missing]: _, ...rest } = headers;
    const problem = await assertProblem(await door.call(where, { method: 'PATCH', body: 'def', headers: rest }), 400, 'invalid_header');
    assert.equal(problem.field, missing);
  }
  await assertProblem(await patch(where, 3, '?0', 'def', { 'content-type': 'text/plain' }), 415, 'unsupported_media_type');
  await assertProblem(await patch(where, 3, '?0', 'def', { 'content-encoding': 'gzip' }), 415, 'unsupported_media_type');
  await assertProblem(await patch(where, 3, '?0', 'def', { 'content-digest': sha256('deg') }), 400, 'digest_mismatch');
  assert.deepEqual(offsetOf(await door.call(where, { method: 'HEAD' })), ['3', '?0']);
  assert.equal((await patch(where, 3, '?0', 'def', { 'content-digest': sha256('def') })).status, 204);
  const wrong = await patch(where, 6, '?1', 'ghi', { 'repr-digest': sha256('other') });
  assert.deepEqual(offsetOf(wrong), [null, '?1']);
  await assertProblem(wrong, 400, 'digest_mismatch');
  assert.equal(await door.registry.files.find(id, 'wrong'), undefined);
  assert.equal((await patch(where, 9, '?1', null, { 'repr-digest': sha256('abcdefghi') })).status, 201);
  await holds('wrong', 'abcdefghi');
  await assertProblem(await patch(where, 9, '?1', 'more'), 400, 'upload_length_mismatch');
  await assertProblem(await patch(where, 4, '?1', null), 409, 'upload_finished');
  await assertProblem(await door.call(where, { method: 'DELETE' }), 409, 'upload_finished');
});

test('a beginning is held to what is said of it, and one that fails leaves nothing', async () => {
  const open = async (): Promise<number> => (await door.registry.files.list(id)).items.length;
  const before = await open();
  const uploads = (await door.registry.uploads!.list()).items.length;
  await assertProblem(await put('a', 'abc', { 'upload-complete': '?0', 'upload-offset': '0' }), 400, 'invalid_header');
  await assertProblem(await put('a', 'abc', { 'upload-incomplete': '?1' }), 400, 'invalid_header');
  await assertProblem(await put('a', 'abc', { 'upload-complete': 'yes' }), 400, 'invalid_header');
  await assertProblem(await put('a', 'abc', { 'upload-complete': '?0', 'upload-length': '2' }), 400, 'upload_length_mismatch');
  await assertProblem(await put('a', 'abc', { 'upload-complete': '?0', 'content-digest': sha256('abd') }), 400, 'digest_mismatch');
  await assertProblem(await put('a', 'abc', { 'upload-complete': '?0', 'if-match': '"x"' }), 412, 'precondition_failed');
  // Who was not told of an upload could not continue it.
  assert.deepEqual((await door.registry.uploads!.list()).items.length, uploads);
  const version = { 'upload-complete': '?1', 'upload-draft-interop-version': '8' };
  for (const field of ['content-digest', 'repr-digest'])
    await assertProblem(await put('a', 'abc', { ...version, [field]: sha256('abd') }), 400, 'digest_mismatch');
  assert.equal(await open(), before);
  const chunked = new ReadableStream({
    start(controller) {
      controller.enqueue(Buffer.from('chunk'));
      controller.close();
    },
  });
  assert.equal((await put('chunked', chunked, version)).status, 201);
  await holds('chunked', 'chunk');
});

test('an upload is abandoned, is its own principal’s, and OPTIONS says that uploads resume', async () => {
  const where = await begin('gone', 'abc');
  assert.equal((await door.call(where, { method: 'DELETE' })).status, 204);
  assert.equal((await door.call(where, { method: 'DELETE' })).status, 204);
  await assertProblem(await patch(where, 3, '?1', 'd'), 404, 'upload_not_found');
  await assertProblem(await door.call(where), 404, 'upload_not_found');
  await assertProblem(await fetch(`${door.url}${where}`), 401, 'unauthorized');
  await assertProblem(await door.call('/uploads/x'), 400, 'invalid_id');
  const options = await door.call(`/packages/${id}/files/any`, { method: 'OPTIONS' });
  assert.equal(options.status, 204);
  assert.equal(options.headers.get('accept-patch'), 'application/partial-upload');
  assert.match(options.headers.get('upload-limit')!, /^max-size=\d+$/);
});

test('below a path of a proxy, 104 names the address as it is from outside', async () => {
  await using below: Door = await openDoor({ prefix: { basePath: '/artifacts', trustForwardedPrefix: false } });
  const { id: made } = await below.newPackage();
  const socket = await below.connect();
  socket.write(
    `PUT /artifacts/packages/${made}/files/a HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-length: 5\r\n` +
      'upload-complete: ?1\r\nupload-draft-interop-version: 8\r\n\r\nab',
  );
  const [, where] = await reads(socket, /location: (\S+)\r\n/);
  assert.match(where!, /^\/artifacts\/uploads\//);
  socket.destroy();
});

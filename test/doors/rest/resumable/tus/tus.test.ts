import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { assertProblem } from '../../open-door.ts';
import { ask, create, door, metadata, offsetOf, patch, target } from './tus-door.ts';

test('OPTIONS says what is spoken, to anybody', async () => {
  const response = await fetch(`${door.url}/uploads`, { method: 'OPTIONS' });
  assert.equal(response.status, 204);
  assert.equal(response.headers.get('tus-version'), '1.0.0');
  assert.match(response.headers.get('tus-extension')!, /^creation,.*termination$/);
  assert.equal(response.headers.get('tus-checksum-algorithm'), 'sha256,sha1,blake3,sha512,md5');
});

test('a file in pieces: the last byte makes it', async () => {
  const file = await target();
  const path = await create({ 'upload-length': '11', 'upload-metadata': file.metadata });
  assert.match(path, /^\/uploads\/[0-9a-f-]{36}$/);
  const before = await ask('HEAD', path);
  assert.equal(before.status, 200);
  for (const [name, value] of [
    ['upload-offset', '0'],
    ['upload-length', '11'],
    ['upload-metadata', file.metadata],
    ['cache-control', 'no-store'],
    ['tus-resumable', '1.0.0'],
    ['upload-concat', null],
  ] as const)
    assert.equal(before.headers.get(name), value, name);
  assert.ok(Date.parse(before.headers.get('upload-expires')!) > Date.now() + 86_000_000);
  const first = await patch(path, 0, 'hello ');
  assert.deepEqual([first.status, first.headers.get('upload-offset'), await first.text()], [204, '6', '']);
  assert.equal((await file.read()).status, 404);
  const last = await patch(path, 6, 'world');
  assert.deepEqual([last.status, last.headers.get('upload-offset')], [204, '11']);
  const read = await file.read();
  assert.equal(await read.text(), 'hello world');
  assert.equal(read.headers.get('content-type'), 'text/plain');
  assert.equal(await offsetOf(path), 11);
  await assertProblem(await patch(path, 11, 'more'), 422, 'upload_finished');
  await assertProblem(await ask('DELETE', path), 422, 'upload_finished');
});

test('bytes with the creation, a length that follows, and none at all', async () => {
  const whole = await target('whole');
  const created = await ask('POST', '/uploads', { 'upload-length': '5', 'upload-metadata': whole.metadata, body: 'hello' });
  assert.deepEqual([created.status, created.headers.get('upload-offset')], [201, '5']);
  assert.equal(await (await whole.read()).text(), 'hello');

  const late = await target('late');
  const path = await create({ 'upload-defer-length': '1', 'upload-metadata': late.metadata, body: 'he' });
  const head = await ask('HEAD', path);
  assert.deepEqual([head.headers.get('upload-defer-length'), head.headers.get('upload-length')], ['1', null]);
  assert.equal((await patch(path, 2, 'l')).status, 204);
  assert.equal((await patch(path, 3, 'lo', { 'upload-length': '5' })).status, 204);
  assert.equal(await (await late.read()).text(), 'hello');

  const empty = await target('empty');
  await create({ 'upload-length': '0', 'upload-metadata': empty.metadata });
  assert.equal(await (await empty.read()).text(), '');

  const nameless = await create({ 'upload-length': '5', body: 'hello' });
  const { id: package_id } = await door.newPackage();
  const made = await door.json(`${nameless}/complete`, { package_id, relative_path: 'named' });
  assert.equal(made.status, 201);
});

test('by POST, where only that passes', async () => {
  const file = await target();
  const path = await create({ 'upload-length': '5', 'upload-metadata': file.metadata });
  const response = await ask('POST', path, { 'x-http-method-override': 'PATCH', 'upload-offset': '0', body: 'hello' });
  assert.deepEqual([response.status, response.headers.get('upload-offset')], [204, '5']);
  assert.equal(await (await file.read()).text(), 'hello');
  const other = await create({ 'upload-length': '5' });
  assert.equal((await ask('POST', other, { 'x-http-method-override': 'DELETE' })).status, 204);
  await assertProblem(await ask('POST', other, { 'x-http-method-override': 'PUT' }), 405, 'method_not_allowed');
  await assertProblem(await ask('POST', other), 405, 'method_not_allowed');
});

test('a checksum: 460 where it does not hold, and the offset stays', async () => {
  const file = await target();
  const path = await create({ 'upload-length': '10', 'upload-metadata': file.metadata });
  const checksum = (algorithm: string, text: string) => `${algorithm} ${createHash(algorithm).update(text).digest('base64')}`;
  assert.equal((await patch(path, 0, 'hello', { 'upload-checksum': checksum('sha1', 'hello') })).status, 204);
  for (const algorithm of ['sha1', 'sha256', 'sha512', 'md5'])
    await assertProblem(await patch(path, 5, 'world', { 'upload-checksum': checksum(algorithm, 'other') }), 460, 'digest_mismatch');
  for (const wrong of ['crc32 AAAAAA==', 'sha1', 'sha1 AAAA', 'sha256 %', ''])
    assert.equal(
      (await assertProblem(await patch(path, 5, 'world', { 'upload-checksum': wrong }), 400, 'invalid_header')).field,
      'upload-checksum',
    );
  assert.equal(await offsetOf(path), 5);
  assert.equal((await patch(path, 5, 'world', { 'upload-checksum': checksum('sha256', 'world') })).status, 204);
  assert.equal(await (await file.read()).text(), 'helloworld');
  const refused = await ask('POST', '/uploads', { 'upload-length': '5', body: 'hello', 'upload-checksum': checksum('sha1', 'other') });
  await assertProblem(refused, 460, 'digest_mismatch');
});

test('parts that make a whole, of which the parts stay', async () => {
  const file = await target();
  const first = await create({ 'upload-length': '6', 'upload-concat': 'partial', body: 'hello ' });
  const second = await create({ 'upload-length': '5', 'upload-concat': 'partial' });
  const final = { 'upload-concat': `final;${first} ${door.url}${second}`, 'upload-metadata': file.metadata };
  await assertProblem(await ask('POST', '/uploads', final), 409, 'upload_incomplete');
  assert.equal((await patch(second, 0, 'world')).status, 204);
  assert.equal((await ask('HEAD', second)).headers.get('upload-concat'), 'partial');
  for (let times = 0; times < 2; times++) {
    const path = await create(final);
    const head = await ask('HEAD', path);
    assert.deepEqual([head.headers.get('upload-length'), head.headers.get('upload-concat')], ['11', final['upload-concat']]);
    await assertProblem(await patch(path, 11, 'x'), 403, 'forbidden');
    await assertProblem(await patch(path, 0, 'x'), 403, 'forbidden');
  }
  assert.equal(await (await file.read()).text(), 'hello world');
  for (const [headers, status, code] of [
    [{ ...final, 'upload-length': '11' }, 400, 'invalid_header'],
    [{ ...final, body: 'x' }, 400, 'invalid_header'],
    [{ 'upload-concat': 'final;' }, 400, 'invalid_header'],
    [{ 'upload-concat': 'whole' }, 400, 'invalid_header'],
    [{ 'upload-concat': 'final;/files/x' }, 400, 'invalid_header'],
    [{ 'upload-concat': 'final;/uploads/x' }, 400, 'invalid_id'],
    [{ 'upload-concat': `final;https://other.example/other${first}` }, 400, 'invalid_header'],
    [{ 'upload-concat': `final;//other.example${first}` }, 400, 'invalid_header'],
    [{ 'upload-concat': `final;ftp://other.example${first}` }, 400, 'invalid_header'],
    [{ 'upload-concat': `final;/other${first}` }, 400, 'invalid_header'],
    [{ 'upload-concat': `final;${first}?a=b` }, 400, 'invalid_header'],
    [{ 'upload-concat': `final;${first.replace(/.{12}$/, '000000000000')}` }, 404, 'upload_not_found'],
  ] as const)
    await assertProblem(await ask('POST', '/uploads', headers), status, code);
});

test('what is wrong with a creation', async () => {
  const { packageId } = await target();
  const named = (more: Record<string, string>) => metadata({ package_id: packageId, relative_path: 'x', ...more });
  for (const [headers, status, code] of [
    [{}, 400, 'invalid_header'],
    [{ 'upload-length': '-1' }, 400, 'invalid_header'],
    [{ 'upload-length': 'ten' }, 400, 'invalid_header'],
    [{ 'upload-length': '1e3' }, 400, 'invalid_header'],
    [{ 'upload-length': '99999999999999999' }, 400, 'invalid_header'],
    [{ 'upload-length': '5', 'upload-defer-length': '1' }, 400, 'invalid_header'],
    [{ 'upload-defer-length': '2' }, 400, 'invalid_header'],
    [{ 'upload-length': '5', 'upload-metadata': 'filename %%%' }, 400, 'invalid_header'],
    [{ 'upload-length': '5', 'upload-metadata': 'a YQ==,a YQ==' }, 400, 'invalid_header'],
    [{ 'upload-length': '5', 'upload-metadata': `package_id ${Buffer.from([0xff]).toString('base64')}` }, 400, 'invalid_header'],
    [{ 'upload-length': '5', 'upload-metadata': metadata({ package_id: packageId }) }, 422, 'invalid_value'],
    [{ 'upload-length': '5', 'upload-metadata': named({ relative_path: '../x' }) }, 400, 'invalid_path'],
    [{ 'upload-length': '5', 'upload-metadata': named({ media_type: 'no' }) }, 422, 'invalid_value'],
    [{ 'upload-length': '5', 'upload-metadata': named({ package_id: 'x' }) }, 400, 'invalid_id'],
    [{ 'upload-length': '6000000000000' }, 403, 'too_many_uploads'],
    [{ 'upload-length': '5', body: 'hello!' }, 400, 'upload_length_mismatch'],
    [{ 'upload-length': '5', body: 'hello', 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    [{ 'upload-length': '5', 'tus-resumable': '0.2.2' }, 412, 'precondition_failed'],
  ] as const) {
    const response = await ask('POST', '/uploads', headers);
    assert.equal(response.headers.get('tus-resumable'), '1.0.0');
    assert.equal(response.headers.get('tus-version'), status === 412 ? '1.0.0' : null);
    await assertProblem(response, status, code);
  }
});

test('what is wrong with an offset or a body, and that nothing changes by it', async () => {
  const file = await target();
  const path = await create({ 'upload-length': '10', 'upload-metadata': file.metadata, body: 'hello' });
  for (const offset of [0, 4, 6, 10, 11])
    assert.deepEqual((await assertProblem(await patch(path, offset, 'w'), 409, 'upload_offset_mismatch')).info, { offset_bytes: 5 });
  for (const offset of ['-1', 'x', '5.0', '', '0x5', '99999999999999999'])
    await assertProblem(await patch(path, offset, 'world'), 400, 'invalid_header');
  await assertProblem(await ask('PATCH', path, { body: 'world' }), 400, 'invalid_header');
  await assertProblem(await patch(path, 5, 'world!'), 400, 'upload_length_mismatch');
  await assertProblem(await patch(path, 5, ReadableStream.from([Buffer.from('world!')])), 400, 'upload_length_mismatch');
  await assertProblem(await patch(path, 5, 'world', { 'upload-length': '11' }), 400, 'upload_length_mismatch');
  await assertProblem(await patch(path, 5, 'world', { 'content-type': 'application/octet-stream' }), 415, 'unsupported_media_type');
  await assertProblem(await patch(path, 5, 'world', { 'tus-resumable': '2.0.0' }), 412, 'precondition_failed');
  assert.equal(await offsetOf(path), 5);
  assert.equal((await patch(path, 5, 'world')).status, 204);
  assert.equal(await (await file.read()).text(), 'helloworld');
});

test('an upload that is not there, any more or ever', async () => {
  const path = await create({ 'upload-length': '5' });
  assert.equal((await ask('DELETE', path)).status, 204);
  await assertProblem(await patch(path, 0, 'hello'), 410, 'upload_not_found');
  assert.equal((await ask('HEAD', path)).status, 404);
  const never = path.replace(/.{12}$/, '000000000000');
  await assertProblem(await patch(never, 0, 'hello'), 404, 'upload_not_found');
  assert.equal((await ask('HEAD', never)).status, 404);
  await assertProblem(await ask('DELETE', never), 404, 'upload_not_found');
  const anonymous = await fetch(`${door.url}${never}`, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } });
  assert.deepEqual([anonymous.status, anonymous.headers.get('tus-resumable')], [401, '1.0.0']);
});

test('what the path holds already is told once and for all, and not as done', async () => {
  const file = await target('taken');
  await door.call(`/packages/${file.packageId}/files/taken`, { method: 'PUT', body: 'other' });
  const path = await create({ 'upload-length': '5', 'upload-metadata': file.metadata });
  await assertProblem(await patch(path, 0, 'hello'), 422, 'path_conflict');
  assert.equal((await ask('HEAD', path)).status, 422);
  const again = await ask('POST', '/uploads', { 'upload-length': '5', 'upload-metadata': file.metadata, body: 'hello' });
  await assertProblem(again, 422, 'path_conflict');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { openIdentity } from '../../../../../src/identity/open.ts';
import { actor, assertProblem, authorization, openDoor, token, until } from '../../open-door.ts';
import { bytesType, metadata } from './tus-door.ts';

const tus = { 'tus-resumable': '1.0.0' };

test('an upload that expired is 410, and says that it did', async () => {
  await using short = await openDoor({ environment: { ARTIFACTSTORE_UPLOAD_TTL_SECONDS: '1' } });
  const made = await short.call('/uploads', { method: 'POST', headers: { ...tus, 'upload-length': '5' } });
  assert.equal(made.status, 201);
  const expires = Date.parse(made.headers.get('upload-expires')!);
  assert.ok(expires <= Date.now() + 1_000);
  await setTimeout(1_500);
  const headers = { ...tus, 'upload-offset': '0', 'content-type': bytesType };
  const late = await short.call(made.headers.get('location')!, { method: 'PATCH', headers, body: 'hello' });
  assert.deepEqual((await assertProblem(late, 410, 'upload_not_found')).info, { state: 'expired' });
});

test('a writer whose upload is deleted is told what the next one is told', async () => {
  await using door = await openDoor();
  const made = await door.call('/uploads', { method: 'POST', headers: { ...tus, 'upload-length': '10' } });
  const path = made.headers.get('location')!;
  const socket = await door.connect();
  let heard = '';
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1');
  });
  socket.write(
    `PATCH ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\n` +
      `content-type: ${bytesType}\r\ncontent-length: 10\r\n\r\nhello`,
  );
  await setTimeout(300);
  assert.equal((await door.call(path, { method: 'DELETE', headers: tus })).status, 204);
  await until(() => heard.endsWith('}'));
  socket.destroy();
  assert.match(heard, /^HTTP\/1\.1 410 .*upload_not_found.*"info":\{"state":"abandoned"\}/s);
});

test('a length that the quota does not leave is refused before the first byte', async () => {
  const identity = await openIdentity({ tokens: [{ token, actor }] });
  await using door = await openDoor({ identity: { ...identity, quotaOf: () => ({ maximum_bytes: 10, maximum_packages: 100 }) } });
  const { id } = await door.newPackage();
  const begin = (length: number) =>
    door.call('/uploads', {
      method: 'POST',
      headers: { ...tus, 'upload-length': String(length), 'upload-metadata': metadata({ package_id: id, relative_path: 'x' }) },
    });
  await assertProblem(await begin(11), 403, 'quota_exceeded');
  assert.equal((await begin(10)).status, 201);
});

test('parts are named as Location names them, also below a path, and whatever the proxy calls its host', async () => {
  await using below = await openDoor({ prefix: { basePath: '/artifacts', trustForwardedPrefix: true } });
  for (const [prefix, headers] of [
    ['/artifacts', tus],
    ['/elsewhere', { ...tus, 'x-forwarded-prefix': '/elsewhere' }],
  ] as const) {
    const part = { ...headers, 'upload-length': '5', 'upload-concat': 'partial', 'content-type': bytesType };
    const made = await below.call('/uploads', { method: 'POST', headers: part, body: 'hello' });
    const path = made.headers.get('location')!;
    assert.ok(path.startsWith(`${prefix}/uploads/`), path);
    const named = [path, path.slice(prefix.length), `https://store.example${path}`, `${below.url}${path.slice(prefix.length)}`];
    const whole = { ...headers, 'upload-concat': `final;${named.join(' ')}` };
    assert.equal((await below.call('/uploads', { method: 'POST', headers: whole })).status, 201);
    const other = { ...headers, 'upload-concat': `final;https://store.example/other${path}` };
    await assertProblem(await below.call('/uploads', { method: 'POST', headers: other }), 400, 'invalid_header');
  }
});

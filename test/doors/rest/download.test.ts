import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseDigestField } from '../../../src/protocol/digest-fields.ts';
import type { File } from '../../../src/registry/REGISTRY.ts';
import { localRoot } from '../../registry/open-registry.ts';
import { assertProblem, authorization, type Door, openDoor, until } from './open-door.ts';

let door: Door;
let id: string;
let small: File;
let large: File;
const smallBytes = Buffer.from('0123456789');
const largeBytes = randomBytes(5_000_001);
before(async () => {
  door = await openDoor();
  ({ id } = await door.newPackage());
  small = await add('dir/small é".html', smallBytes, 'text/html');
  large = await add('large.bin', largeBytes, 'application/x-thing');
});
after(() => door[Symbol.asyncDispose]());

async function add(relative_path: string, bytes: Uint8Array, media_type: string): Promise<File> {
  const body = (async function* () {
    yield bytes;
  })();
  return (await door.registry.files.add(id, { relative_path, body, media_type })).record;
}

const etag = (file: File) => `"${file.content_address}"`;
const get = (file: File, headers: Record<string, string> = {}, method = 'GET') =>
  door.call(`/files/${file.id}/download`, { method, headers });
const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

test('the bytes come whole from every address, with what they are', async () => {
  const url = (path: string) => path.split('/').map(encodeURIComponent).join('/');
  const routes = [
    `/files/${small.id}/download`,
    `/packages/${id}/files/${url(small.relative_path)}`,
    `/objects/${small.content_address}`,
    `/objects/sha256:${small.digest_sha256}`,
    `/objects/sha256:${small.digest_sha256}/any%20name.tar.gz`,
  ];
  for (const path of routes)
    for (const method of ['GET', 'HEAD']) {
      const response = await door.call(path, { method });
      assert.equal(response.status, 200, path);
      const { headers } = response;
      assert.equal(headers.get('content-length'), '10');
      const isNamed = path.endsWith('.gz');
      assert.equal(headers.get('etag'), isNamed ? `"sha256:${small.digest_sha256}"` : etag(small));
      assert.equal(headers.get('accept-ranges'), 'bytes');
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('content-security-policy'), 'sandbox');
      const immutable = path.startsWith('/objects');
      assert.equal(headers.get('cache-control'), immutable ? 'private, max-age=31536000, immutable' : 'private, no-cache');
      assert.equal(headers.get('content-encoding'), null);
      if (isNamed) assert.equal(headers.get('content-disposition'), 'attachment; filename="any name.tar.gz"');
      assert.match(headers.get('content-disposition') ?? '', /^attachment; filename=/);
      assert.equal(headers.get('content-type'), path.startsWith('/objects') ? 'application/octet-stream' : 'text/html');
      const digests = parseDigestField(headers.get('repr-digest') ?? '')!;
      assert.deepEqual(Buffer.from(digests.get('sha256')!), createHash('sha256').update(smallBytes).digest());
      assert.equal(Buffer.from(digests.get('blake3')!).toString('hex'), small.digest_primary);
      assert.deepEqual(await bytesOf(response), method === 'GET' ? smallBytes : Buffer.alloc(0));
    }
  const named = await get(small);
  assert.match(named.headers.get('content-disposition') ?? '', /filename\*=UTF-8''small%20%C3%A9%22\.html$/);
  assert.deepEqual(await bytesOf(await get(large)), largeBytes);
});

test('an empty file has bytes too, none of them in any range', async () => {
  const empty = await add('empty', Buffer.alloc(0), 'text/plain');
  const whole = await get(empty);
  assert.equal(whole.headers.get('content-length'), '0');
  assert.equal((await bytesOf(whole)).length, 0);
  const ranged = await get(empty, { range: 'bytes=0-' });
  assert.equal(ranged.headers.get('content-range'), 'bytes */0');
  await assertProblem(ranged, 416, 'range_not_satisfiable');
});

test('a single range is 206, what is no single range is 200, what does not exist is 416', async () => {
  for (const file of [small, large]) {
    const content = file === small ? smallBytes : largeBytes;
    const size = content.length;
    for (const [range, first, last] of [
      ['bytes=0-0', 0, 0],
      ['bytes=2-5', 2, 5],
      ['bytes=3-', 3, size - 1],
      ['bytes=-4', size - 4, size - 1],
      [`bytes=-${size * 2}`, 0, size - 1],
      [`bytes=${size - 1}-${size * 9}`, size - 1, size - 1],
      ['bytes=0-', 0, size - 1],
    ] as const) {
      const response = await get(file, { range });
      assert.equal(response.status, 206, range);
      assert.equal(response.headers.get('content-range'), `bytes ${first}-${last}/${size}`);
      assert.equal(response.headers.get('content-length'), String(last - first + 1));
      assert.deepEqual(await bytesOf(response), content.subarray(first, last + 1), range);
    }
    for (const range of ['bytes=0-1,3-4', 'lines=0-1', 'bytes=5-2', 'nonsense', 'bytes=']) {
      const response = await get(file, { range });
      assert.equal(response.status, 200, range);
      assert.deepEqual(await bytesOf(response), content);
    }
    for (const range of [`bytes=${size}-`, `bytes=${size}-${size + 5}`, 'bytes=-0', 'bytes=99999999999999999999-']) {
      const response = await get(file, { range });
      assert.equal(response.headers.get('content-range'), `bytes */${size}`, range);
      await assertProblem(response, 416, 'range_not_satisfiable');
    }
    const head = await get(file, { range: 'bytes=0-0' }, 'HEAD');
    assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(size)]);
  }
});

test('a range that crosses blocks is the right bytes', async () => {
  for (const [first, last] of [
    [1_048_575, 1_048_576],
    [0, 1_048_576],
    [1_048_576, 3_145_727],
    [4_999_990, 5_000_000],
  ] as const)
    assert.deepEqual(await bytesOf(await get(large, { range: `bytes=${first}-${last}` })), largeBytes.subarray(first, last + 1));
});

test('conditions decide before the bytes are opened', async () => {
  const right = etag(small);
  const cases: readonly (readonly [headers: Record<string, string>, status: number])[] = [
    [{ 'if-none-match': right }, 304],
    [{ 'if-none-match': `W/${right}` }, 304],
    [{ 'if-none-match': `"x", ${right}` }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"x"' }, 200],
    [{ 'if-match': right }, 200],
    [{ 'if-match': '*' }, 200],
    [{ 'if-match': '"x"' }, 412],
    [{ 'if-match': `W/${right}` }, 412],
    [{ 'if-match': '"x"', 'if-none-match': right }, 412],
    [{ range: 'bytes=0-1', 'if-range': right }, 206],
    [{ range: 'bytes=0-1', 'if-range': '"x"' }, 200],
    [{ range: 'bytes=0-1', 'if-range': `W/${right}` }, 200],
    [{ range: 'bytes=0-1', 'if-range': 'Fri, 20 Nov 2026 10:00:00 GMT' }, 200],
    [{ range: 'bytes=0-1', 'if-none-match': '"x"' }, 206],
    [{ range: 'bytes=0-1', 'if-none-match': right }, 304],
    [{ range: 'bytes=99-', 'if-range': '"x"' }, 200],
    [{ range: 'bytes=99-', 'if-range': right }, 416],
  ];
  for (const [headers, status] of cases)
    for (const method of ['GET', 'HEAD']) {
      const response = await get(small, headers, method);
      const expected = method === 'HEAD' && (status === 206 || status === 416) ? 200 : status;
      assert.equal(response.status, expected, `${method} ${JSON.stringify(headers)}`);
      if (status === 304) assert.equal(response.headers.get('etag'), right);
      const body = await bytesOf(response);
      if (method === 'HEAD' || status === 304) assert.equal(body.length, 0);
      else if (status < 300) assert.deepEqual(body, status === 206 ? smallBytes.subarray(0, 2) : smallBytes);
    }
});

test('what is not there is 404', async () => {
  const missing = '01890000-0000-7000-8000-000000000000';
  await assertProblem(await door.call(`/files/${missing}/download`), 404, 'file_not_found');
  await assertProblem(await door.call(`/packages/${id}/files/none`), 404, 'file_not_found');
  await assertProblem(await door.call(`/objects/sha256:${'0'.repeat(64)}`), 404, 'object_not_found');
  for (const headers of [{ 'if-none-match': '*' }, { range: 'bytes=0-' }])
    await assertProblem(await door.call(`/packages/${id}/files/none`, { headers }), 404, 'file_not_found');
});

test('keep-alive connections carry one answer after the other', async () => {
  const request = (more = '') => `GET /files/${small.id}/download HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n${more}\r\n`;
  const answer = await door.raw(
    request() + request('range: bytes=0-3\r\n') + request('if-none-match: *\r\n') + request('connection: close\r\n'),
  );
  assert.deepEqual(
    [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
    ['200', '206', '304', '200'],
  );
});

test('damaged bytes are never whole: a small file is refused, a large one is broken off, and the log says so', async () => {
  const victims = [
    await add('victim-small', randomBytes(1000), 'text/plain'),
    await add('victim-large', randomBytes(4_000_000), 'text/plain'),
  ];
  await door.store.operator.settleHeld();
  for (const { locations } of victims) await flipLastBit(locations[0]!.object_key);
  await assertProblem(await get(victims[0]!), 500, 'integrity_failure');
  const seen = door.lines.length;
  const response = await get(victims[1]!);
  assert.equal(response.status, 200);
  await assert.rejects(response.arrayBuffer());
  await until(() => door.lines.slice(seen).some((line) => line.includes('an answer was broken off')));
  await assertProblem(await get(victims[1]!, { range: 'bytes=3999999-' }), 500, 'integrity_failure');
});

test('a client that leaves in the middle is no error, and the file is closed', async () => {
  const seen = door.lines.length;
  const socket = await door.connect();
  socket.on('error', () => {});
  socket.write(`GET /files/${large.id}/download HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n\r\n`);
  await new Promise((resolve) => socket.once('data', resolve));
  socket.resetAndDestroy();
  const line = await until(() => door.lines.slice(seen).find((one) => one.includes('"msg":"request"')));
  assert.equal((JSON.parse(line) as { unfinished?: boolean }).unfinished, true);
  assert.ok(!door.lines.slice(seen).some((one) => one.includes('"level":50')));
});

async function flipLastBit(objectKey: string): Promise<void> {
  const path = join(localRoot(door.store.config), objectKey);
  assert.ok((await readdir(join(path, '..'))).length > 0);
  const bytes = await readFile(path);
  bytes[bytes.length - 1]! ^= 1;
  await writeFile(path, bytes).catch(async () => {
    throw new Error(`${path} cannot be written`);
  });
}

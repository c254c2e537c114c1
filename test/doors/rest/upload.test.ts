import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { blake3 } from '../../../src/kernel/content/digest.ts';
import { localRoot } from '../../registry/open-registry.ts';
import { assertProblem, authorization, type Door, drain, openDoor, until } from './open-door.ts';

let door: Door;
let id: string;
before(async () => {
  door = await openDoor();
  ({ id } = await door.newPackage());
});
after(() => door[Symbol.asyncDispose]());

const put = (path: string, body: NonNullable<RequestInit['body']> | null, headers: Record<string, string> = {}) =>
  door.call(`/packages/${id}/files/${path}`, {
    method: 'PUT',
    body,
    headers,
    ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
  });
const head = (path: string, more: string) =>
  `PUT /packages/${id}/files/${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n${more}\r\n`;
const sha256 = (text: string) => createHash('sha256').update(text).digest('base64');

/** Runs it, and sees that it left nothing: no event, no draft. */
async function changesNothing(work: () => Promise<void>): Promise<void> {
  // What an earlier sender broke off may still be on its way into the log.
  let before = await door.lastSequence();
  for (let earlier = -1; earlier !== before; before = await door.lastSequence()) {
    earlier = before;
    await setTimeout(25);
  }
  await work();
  assert.equal(await door.lastSequence(), before);
  // A draft is thrown away beside the answer, soon after it.
  while ((await drafts()).length > 0) await setTimeout(5);
}

async function drafts(): Promise<readonly string[]> {
  return await readdir(join(localRoot(door.store.config), 'drafts')).catch(() => []);
}

test('a new file is 201 with its place, the same again is 200, other bytes are 409', async () => {
  const first = await put('dir/one.txt', 'hello', { 'content-type': 'text/plain; charset=utf-8' });
  assert.equal(first.status, 201);
  const record = (await first.json()) as {
    id: string;
    relative_path: string;
    media_type: string;
    size_bytes: number;
    digest_sha256: string;
  };
  assert.equal(first.headers.get('location'), `/files/${record.id}`);
  assert.equal(record.relative_path, 'dir/one.txt');
  assert.equal(record.media_type, 'text/plain; charset=utf-8');
  assert.equal(record.size_bytes, 5);
  assert.equal(Buffer.from(record.digest_sha256, 'hex').toString('base64'), sha256('hello'));
  await changesNothing(async () => {
    const again = await put('dir/one.txt', 'hello', { 'content-type': 'text/html' });
    assert.equal(again.status, 200);
    assert.deepEqual(await again.json(), record);
    await assertProblem(await put('dir/one.txt', 'other'), 409, 'path_conflict');
  });
});

test('any length and type is a file: none, JSON, a form, a stream of unknown length', async () => {
  assert.equal((await put('empty', '')).status, 201);
  assert.equal((await put('no-body', null)).status, 201);
  assert.equal((await put('broken.json', '{"a":', { 'content-type': 'application/json' })).status, 201);
  assert.equal((await put('form', 'a=b', { 'content-type': 'multipart/form-data' })).status, 201);
  const stream = new ReadableStream({
    start(controller) {
      for (const part of ['a', 'b', 'c']) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });
  const streamed = await put('stream', stream);
  assert.equal(streamed.status, 201);
  assert.equal(((await streamed.json()) as { size_bytes: number }).size_bytes, 3);
});

test('paths are taken raw: percent-encoding is undone once, in each segment', async () => {
  for (const [raw, path] of [
    ['a%20b/c%25d', 'a b/c%d'],
    ['%C3%BC/%F0%9F%98%80', 'ü/😀'],
    ['%2525', '%25'],
    ['a+b', 'a+b'],
    ['%3Fx%23y', '?x#y'],
    ['...', '...'],
    ['a;b=c,d', 'a;b=c,d'],
    ['x'.repeat(1024), 'x'.repeat(1024)],
  ] as const) {
    const answer = await door.raw(head(raw, 'content-length: 1\r\nconnection: close\r\n'), 'x');
    assert.match(answer, /^HTTP\/1\.1 201 /, raw);
    const file = await door.registry.files.find(id, path);
    assert.equal(file?.relative_path, path);
  }
});

test('illegal paths are refused, whatever the router thinks of them', async () => {
  const illegal = [
    '..',
    '.',
    'a/../b',
    '../../../etc/passwd',
    '..%2f..%2fetc',
    'a%2fb',
    'a%2Fb',
    '%2e%2e',
    'a/%2E%2E/b',
    '/a',
    'a//b',
    'a/',
    '',
    'a%5cb',
    'a\\b',
    '%00',
    'a%0ab',
    'a%7fb',
    '%C2%85',
    '%FF',
    '%C0%AF',
    '%',
    '%4',
    '%zz',
    '%ED%A0%80',
    'x'.repeat(1025),
    '%C3%BC'.repeat(513),
    'a#b',
    'ü',
  ];
  for (const method of ['PUT', 'GET', 'HEAD'])
    await changesNothing(async () => {
      for (const path of illegal) {
        const request = head(path, 'content-length: 0\r\nconnection: close\r\n').replace('PUT', method);
        const answer = await door.raw(Buffer.from(request));
        assert.match(answer, /^HTTP\/1\.1 400 /, `${method} ${path}`);
        if (method !== 'HEAD') assert.match(answer, /"code":"(invalid_path|malformed_request|unknown_parameter)"/, `${method} ${path}`);
      }
    });
});

test('a digest that is stated is checked', async () => {
  const right = {
    'sha-256': sha256('hello'),
    'sha-512': createHash('sha512').update('hello').digest('base64'),
    blake3: Buffer.from(blake3(Buffer.from('hello'))).toString('base64'),
  };
  for (const [algorithm, digest] of Object.entries(right))
    for (const field of ['content-digest', 'repr-digest'])
      assert.equal((await put(`good-${algorithm}-${field}`, 'hello', { [field]: `md5=:AAAA:, ${algorithm}=:${digest}:` })).status, 201);
  await changesNothing(async () => {
    for (const [algorithm, digest] of Object.entries(right)) {
      const wrong = Buffer.from(digest, 'base64').fill(1, 0, 1).toString('base64');
      await assertProblem(await put('bad', 'hello', { 'repr-digest': `${algorithm}=:${wrong}:` }), 400, 'digest_mismatch');
    }
    for (const value of ['sha-256', 'sha-256=:AAAA:', `sha-256=${right['sha-256']}`, `sha-512=:${right['sha-256']}:`, ':::'])
      for (const field of ['content-digest', 'repr-digest'])
        await assertProblem(await put('bad', 'hello', { [field]: value }), 400, 'invalid_header');
    const both = { 'content-digest': `sha-256=:${right['sha-256']}:`, 'repr-digest': `sha-256=:${sha256('other')}:` };
    await assertProblem(await put('bad', 'hello', both), 400, 'digest_mismatch');
  });
});

test('the older digest fields are checked as well, and none comes too late', async () => {
  const md5 = createHash('md5').update('hello').digest('base64');
  const sha1 = createHash('sha1').update('hello').digest('base64');
  assert.equal((await put('md5', 'hello', { 'content-md5': md5 })).status, 201);
  const all = `SHA-256=${sha256('hello')}, md5=${md5}, SHA=${sha1}, unixsum=30637`;
  assert.equal((await put('legacy', 'hello', { digest: all })).status, 201);
  await changesNothing(async () => {
    await assertProblem(await put('bad', 'other', { 'content-md5': md5 }), 400, 'digest_mismatch');
    await assertProblem(await put('bad', 'other', { digest: `sha-256=${sha256('hello')}` }), 400, 'digest_mismatch');
    await assertProblem(await put('bad', 'other', { digest: `sha=${sha1}` }), 400, 'digest_mismatch');
    await assertProblem(
      await put('bad', 'hello', { digest: `md5=${md5}`, 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' }),
      400,
      'digest_mismatch',
    );
    for (const headers of [{ 'content-md5': 'no' }, { 'content-md5': `${md5}A` }, { digest: 'sha-256' }, { digest: 'sha-256=AAAA' }])
      await assertProblem(await put('bad', 'hello', headers as Record<string, string>), 400, 'invalid_header');
    const answer = await door.raw(
      head('bad', 'transfer-encoding: chunked\r\ntrailer: Content-Digest\r\nconnection: close\r\n'),
      '0\r\n\r\n',
    );
    assert.match(answer, /"code":"invalid_header"/);
  });
});

test('If-Match and If-None-Match are about what the path holds', async () => {
  const first = await put('once', 'hello', { 'if-none-match': '*' });
  assert.equal(first.status, 201);
  const etag = `"${((await first.json()) as { content_address: string }).content_address}"`;
  await changesNothing(async () => {
    await assertProblem(await put('once', 'hello', { 'if-none-match': '*' }), 412, 'precondition_failed');
    await assertProblem(await put('once', 'hello', { 'if-none-match': `"x", ${etag}` }), 412, 'precondition_failed');
    await assertProblem(await put('once', 'hello', { 'if-match': '"x"' }), 412, 'precondition_failed');
    await assertProblem(await put('never', 'hello', { 'if-match': '*' }), 412, 'precondition_failed');
    for (const headers of [{ 'if-match': etag }, { 'if-match': '*' }, { 'if-none-match': '"x"' }])
      assert.equal((await put('once', 'hello', headers as Record<string, string>)).status, 200);
    await assertProblem(await put('once', 'other', { 'if-match': etag }), 409, 'path_conflict');
  });
  const both = await Promise.all(['race', 'race'].map((path) => put(path, 'same', { 'if-none-match': '*' })));
  assert.deepEqual(both.map(({ status }) => status).sort(), [201, 412]);
});

test('transfer codings beyond chunked, and expectations that nobody meets, are refused in words', async () => {
  await changesNothing(async () => {
    for (const framing of ['transfer-encoding: gzip, chunked\r\n', 'transfer-encoding: GZIP\r\ntransfer-encoding: chunked\r\n']) {
      const answer = await door.raw(head('coded', `${framing}connection: close\r\n`), '5\r\nhello\r\n0\r\n\r\n');
      assert.match(answer, /^HTTP\/1\.1 415 .*"code":"unsupported_media_type".*"field":"transfer-encoding"/s, framing);
    }
    const answer = await door.raw(head('hoped', 'content-length: 5\r\nexpect: nonsense\r\nconnection: close\r\n'), 'hello');
    assert.match(answer, /^HTTP\/1\.1 417 .*"code":"expectation_failed"/s);
    const latin1 = await door.call('/packages', {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=latin1' },
      body: '{}',
    });
    await assertProblem(latin1, 415, 'unsupported_media_type');
    const wrong = { 'content-type': 'application/json', 'content-digest': `sha-256=:${sha256('other')}:` };
    await assertProblem(
      await door.call(`/packages/${id}/finalize`, { method: 'POST', headers: wrong, body: '{}' }),
      400,
      'digest_mismatch',
    );
  });
});

test('annotations come in a header', async () => {
  const response = await put('script', '#!', { 'artifactstore-annotations': 'mode="executable", title=%"%c3%bc"' });
  assert.deepEqual(((await response.json()) as { annotations: object }).annotations, { mode: 'executable', title: 'ü' });
  await changesNothing(async () => {
    for (const value of ['mode', 'mode=1', 'mode="a', '"a"'])
      await assertProblem(await put('bad', 'x', { 'artifactstore-annotations': value }), 400, 'invalid_header');
  });
});

test('coded and partial bodies are refused', async () => {
  await changesNothing(async () => {
    await assertProblem(await put('bad', 'x', { 'content-encoding': 'gzip' }), 415, 'unsupported_media_type');
    await assertProblem(await put('bad', 'x', { 'content-range': 'bytes 0-0/2' }), 400, 'invalid_header');
  });
  assert.equal((await put('identity', 'x', { 'content-encoding': 'identity' })).status, 201);
});

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

test('nothing is added to a package that is sealed, abandoned or not there', async () => {
  const sealed = await door.newPackage();
  await door.call(`/packages/${sealed.id}/files/a`, { method: 'PUT', body: 'a' });
  await door.registry.packages.finalize(sealed.id);
  const abandoned = await door.newPackage();
  await door.registry.packages.abandon(abandoned.id);
  await changesNothing(async () => {
    for (const one of [sealed, abandoned])
      await assertProblem(await door.call(`/packages/${one.id}/files/b`, { method: 'PUT', body: 'b' }), 409, 'package_not_open');
    assert.equal((await door.call(`/packages/${sealed.id}/files/a`, { method: 'PUT', body: 'a' })).status, 200);
    // What a sealed package can't hold is refused before the body is asked for.
    for (const [path, more] of [
      ['b', ''],
      ['a', `repr-digest: sha-256=:${sha256('b')}:\r\n`],
    ] as const) {
      const framing = `content-length: 1\r\nexpect: 100-continue\r\nconnection: close\r\n${more}`;
      assert.match(await door.raw(head(path, framing).replace(id, sealed.id)), /^HTTP\/1\.1 409 /);
    }
  });
});

test('bytes that are here already are attached by address', async () => {
  const known = (await door.registry.files.find(id, 'dir/one.txt'))!;
  const items = [
    { relative_path: 'by-primary', content_address: known.content_address, size_bytes: 5, media_type: 'text/css' },
    { relative_path: 'by-sha256', content_address: `sha256:${known.digest_sha256}`, size_bytes: 5, annotations: { mode: 'executable' } },
    { relative_path: 'unknown', content_address: `sha256:${'0'.repeat(64)}`, size_bytes: 5 },
  ];
  const response = await door.json(`/packages/${id}/files`, { items });
  assert.equal(response.status, 200);
  const answer = (await response.json()) as { items: { relative_path: string; result: string; file?: { annotations: object } }[] };
  assert.deepEqual(
    answer.items.map(({ relative_path, result }) => [relative_path, result]),
    [
      ['by-primary', 'created'],
      ['by-sha256', 'created'],
      ['unknown', 'missing'],
    ],
  );
  assert.deepEqual(answer.items[1]!.file?.annotations, { mode: 'executable' });
  assert.equal(response.headers.get('preference-applied'), null);
  const brief = await door.call(`/packages/${id}/files`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'return=minimal' },
    body: JSON.stringify({ items: [...items, { ...items[0], relative_path: 'brief' }] }),
  });
  assert.equal(brief.headers.get('preference-applied'), 'return=minimal');
  assert.deepEqual(await brief.json(), {
    items: [
      { relative_path: 'by-primary', result: 'exists' },
      { relative_path: 'by-sha256', result: 'exists' },
      { relative_path: 'unknown', result: 'missing' },
      { relative_path: 'brief', result: 'created' },
    ],
  });
  const { file_count } = (await door.registry.packages.get(id))!;
  assert.equal((await door.registry.files.list(id, { limit: 1000 })).items.length, file_count);
  await changesNothing(async () => {
    const many = Array.from({ length: 1001 }, () => items[0]);
    await assertProblem(await door.json(`/packages/${id}/files`, { items: many }), 422, 'invalid_value');
    await assertProblem(await door.json(`/packages/${id}/files`, { items: [{ ...items[0], size_bytes: -1 }] }), 422, 'invalid_value');
    await assertProblem(await door.json(`/packages/${id}/files`, { items: [{ ...items[0], colour: 1 }] }), 400, 'malformed_request');
  });
});

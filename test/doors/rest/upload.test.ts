import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertProblem } from './open-door.ts';
import { changesNothing, door, head, id, put, sha256 } from './upload-door.ts';

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

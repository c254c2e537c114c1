import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertProblem, authorization, type Door, openDoor } from './open-door.ts';

let door: Door;
let sequence: number;
before(async () => {
  door = await openDoor();
  await door.newPackage();
  sequence = await door.lastSequence();
});
after(async () => {
  assert.equal(await door.lastSequence(), sequence, 'a refused request changed something');
  await door[Symbol.asyncDispose]();
});

const good = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
const missing = '01890000-0000-7000-8000-000000000000';

test('query parameters that are unknown, doubled or not of their kind are refused', async () => {
  const cases: readonly (readonly [path: string, code: string, field: string | undefined])[] = [
    ['/packages?colour=red', 'unknown_parameter', 'colour'],
    ['/packages?Limit=1', 'unknown_parameter', 'Limit'],
    ['/packages?__proto__=1', 'unknown_parameter', '__proto__'],
    ['/packages?metadata=1', 'unknown_parameter', 'metadata'],
    ['/packages?=', 'unknown_parameter', ''],
    ['/packages?&', 'unknown_parameter', ''],
    ['/packages?limit=1&limit=1', 'malformed_request', 'limit'],
    ['/packages?metadata.a=1&metadata.a=2', 'malformed_request', 'metadata.a'],
    ...['0', '-1', '1001', '1.5', '1e2', '0x10', ' 1', '+1', '01', '', 'NaN', '99999999999999999999'].map(
      (limit) => [`/packages?limit=${encodeURIComponent(limit)}`, 'malformed_request', 'limit'] as const,
    ),
    ['/packages?status=lost', 'malformed_request', 'status'],
    ['/packages?name=%FF', 'malformed_request', undefined],
    ['/packages?name=%', 'malformed_request', undefined],
    ['/events?since=-1', 'malformed_request', 'since'],
    ['/events?wait=61', 'malformed_request', 'wait'],
    ['/events?limit=501', 'malformed_request', 'limit'],
    ['/files', 'malformed_request', 'digest'],
    ['/files?digest=sha256:00', 'invalid_address', 'digest'],
    [`/files?digest=sha256:${'A'.repeat(64)}`, 'invalid_address', 'digest'],
    ['/retention-classes?x=1', 'unknown_parameter', 'x'],
    ['/health?x=1', 'unknown_parameter', 'x'],
    ['/openapi.json?x=1', 'unknown_parameter', 'x'],
    [`/packages/${missing}?x=1`, 'unknown_parameter', 'x'],
    [`/files/${missing}/download?accesstoken=a`, 'unknown_parameter', 'accesstoken'],
  ];
  for (const [path, code, field] of cases) {
    const problem = await assertProblem(await door.call(path), 400, code);
    assert.equal(problem.field, field, path);
  }
});

test('cursors that were not given out are refused', async () => {
  for (const cursor of ['x', '', 'AAAA', Buffer.from('{"a":1}').toString('base64url'), '%00', '9'.repeat(2000)]) {
    const response = await door.call(`/packages?cursor=${encodeURIComponent(cursor)}`);
    const { code } = (await response.json()) as { code: string };
    assert.equal(response.status, 400, cursor);
    assert.ok(['invalid_cursor', 'malformed_request'].includes(code), code);
  }
});

test('ids and addresses in paths must be well formed', async () => {
  for (const id of ['x', missing.toUpperCase().replace('0189', 'ABCD'), `${missing}0`, '%00', '..%2f', '{}'])
    for (const path of [`/packages/${id}`, `/files/${id}`, `/packages/${id}/manifest`, `/packages/${id}/files/a`])
      await assertProblem(await door.call(path), 400, 'invalid_id');
  for (const address of ['x', 'sha256:', 'sha256:0', `SHA256:${'0'.repeat(64)}`, `sha256:${'g'.repeat(64)}`])
    await assertProblem(await door.call(`/objects/${encodeURIComponent(address)}`), 400, 'invalid_address');
  await assertProblem(await door.call(`/packages/${missing}`), 404, 'package_not_found');
  await assertProblem(await door.call(`/files/${missing}`), 404, 'file_not_found');
  await assertProblem(await door.call(`/objects/sha256:${'0'.repeat(64)}`), 404, 'object_not_found');
  await assertProblem(await door.call('/metadata-schemas/x'), 404, 'metadata_schema_not_found');
});

test('bodies of another shape are malformed, values out of bounds are invalid', async () => {
  const cases: readonly (readonly [body: unknown, status: number, code: string, field?: string])[] = [
    [{ ...good, colour: 'red' }, 400, 'malformed_request', '/colour'],
    [{ ...good, 'a/b~c': 1 }, 400, 'malformed_request', '/a~1b~0c'],
    [{ ...good, name: undefined }, 400, 'malformed_request', '/name'],
    [{ ...good, name: 1 }, 400, 'malformed_request', '/name'],
    [{ ...good, name: null }, 400, 'malformed_request', '/name'],
    [{ ...good, metadata: [] }, 400, 'malformed_request', '/metadata'],
    [{ ...good, metadata: null }, 400, 'malformed_request', '/metadata'],
    [[], 400, 'malformed_request', ''],
    ['"text"', 400, 'malformed_request', ''],
    ['null', 400, 'malformed_request', ''],
    ['1', 400, 'malformed_request', ''],
    [{ ...good, name: '' }, 422, 'invalid_value', '/name'],
    [{ ...good, name: 'x'.repeat(257) }, 422, 'invalid_value', '/name'],
    [{ ...good, name: 'a\u0000b' }, 422, 'invalid_value', '/name'],
    [{ ...good, producer: 'a\nb' }, 422, 'invalid_value', '/producer'],
    [{ ...good, subject: 'a\u0085b' }, 422, 'invalid_value', '/subject'],
    [{ ...good, retention_class: 'no-such' }, 422, 'unknown_retention_class'],
    [{ ...good, metadata_schema_slug: 'no-such' }, 422, 'unknown_metadata_schema'],
  ];
  for (const [body, status, code, field] of cases) {
    const problem = await assertProblem(await door.json('/packages', body), status, code);
    if (field !== undefined) assert.equal(problem.field, field);
  }
});

test('JSON is read strictly', async () => {
  const text = JSON.stringify(good);
  const bodies: readonly (string | Uint8Array)[] = [
    '',
    '{',
    `${text} x`,
    text.replace('"name":"n"', '"name":"n","name":"m"'),
    text.replace('"n"', '"\\ud800"'),
    `\ufeff${text}`,
    `${text.slice(0, -1)},"metadata":{"a":12345678901234567890}}`,
    `${text.slice(0, -1)},"metadata":{"a":1e400}}`,
    `${text.slice(0, -1)},"metadata":{"a":NaN}}`,
    `${text.slice(0, -1)},"metadata":{"a":${'['.repeat(200)}${']'.repeat(200)}}}`,
    '['.repeat(100_000),
    Buffer.from(text.replace('"n"', '"\xff"'), 'latin1'),
    Buffer.from(text, 'utf16le'),
  ];
  for (const body of bodies) {
    const response = await door.call('/packages', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: body as NonNullable<RequestInit['body']>,
    });
    const { code } = (await response.json()) as { code: string };
    assert.equal(response.status, 400, String(body).slice(0, 60));
    assert.equal(code, 'malformed_json', String(body).slice(0, 60));
  }
});

test('a body of another type, coded, or missing is refused', async () => {
  const post = async (headers: Record<string, string>) =>
    await door.call('/packages', { method: 'POST', headers, body: JSON.stringify(good) });
  for (const type of ['text/plain', 'application/cbor', 'application/x-www-form-urlencoded', 'application/jsonx', 'text/json'])
    await assertProblem(await post({ 'content-type': type }), 415, 'unsupported_media_type');
  for (const type of ['nonsense', 'a b/c']) await assertProblem(await post({ 'content-type': type }), 415, 'unsupported_media_type');
  await assertProblem(await post({ 'content-type': 'application/json', 'content-encoding': 'gzip' }), 415, 'unsupported_media_type');
  await assertProblem(await door.call('/packages', { method: 'POST' }), 400, 'malformed_request');
  await assertProblem(
    await door.call('/packages', { method: 'POST', headers: { 'content-type': 'application/json' } }),
    400,
    'malformed_json',
  );
  await assertProblem(await door.json(`/packages/${missing}/files`, {}, 'POST'), 400, 'malformed_request');
  await assertProblem(
    await door.call(`/packages/${missing}/files`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' }),
    415,
    'unsupported_media_type',
  );
  const shouting = await door.call(`/packages/${missing}/files`, {
    method: 'POST',
    headers: { 'content-type': 'APPLICATION/JSON; charset=utf-8' },
    body: '{"items":[1]}',
  });
  await assertProblem(shouting, 400, 'malformed_request');
});

test('a huge body is refused by its stated length without being read, and by its bytes when it states none', async () => {
  const head = `POST /packages HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\n`;
  const stated = await door.raw(`${head}content-length: 99999999999\r\nexpect: 100-continue\r\n\r\n`);
  assert.match(stated, /^HTTP\/1\.1 413 /);
  assert.doesNotMatch(stated, /100 Continue/);
  const chunk = Buffer.alloc(65_536, 0x20);
  const chunks = Array.from({ length: 20 }, () => [`${chunk.length.toString(16)}\r\n`, chunk, '\r\n']).flat();
  const streamed = await door.raw(`${head}transfer-encoding: chunked\r\n\r\n`, ...chunks, '0\r\n\r\n');
  assert.match(streamed, /^HTTP\/1\.1 413 /);
  assert.match(streamed, /"body_too_large"/);
});

test('finalize takes an empty body or {}', async () => {
  await assertProblem(await door.json(`/packages/${missing}/finalize`, { now: true }), 400, 'malformed_request');
  await assertProblem(await door.json(`/packages/${missing}/finalize`, '[]'), 400, 'malformed_request');
  await assertProblem(await door.json(`/packages/${missing}/finalize`, {}), 404, 'package_not_found');
  await assertProblem(await door.call(`/packages/${missing}/finalize`, { method: 'POST' }), 404, 'package_not_found');
});

test('headers that mean something must be well formed', async () => {
  for (const key of [' ', 'x'.repeat(256), 'a\u00e9']) {
    const response = await door.call('/packages', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(good),
    });
    await assertProblem(response, 400, 'invalid_header');
  }
  for (const id of ['x', '-1', '1.5', '99999999999999999999'])
    await assertProblem(
      await door.call('/events', { headers: { accept: 'text/event-stream', 'last-event-id': id } }),
      400,
      'invalid_header',
    );
  await assertProblem(await door.call('/events', { headers: { accept: 'text/html' } }), 406, 'not_acceptable');
  await assertProblem(await door.call(`/packages/${missing}/manifest`, { headers: { accept: 'text/html' } }), 406, 'not_acceptable');
});

test('a metadata schema must be one', async () => {
  await assertProblem(
    await door.json('/metadata-schemas', { slug: 's', json_schema: { type: 'nonsense' } }),
    422,
    'invalid_metadata_schema',
  );
  await assertProblem(await door.json('/metadata-schemas', { slug: 's', json_schema: true }), 400, 'malformed_request');
  await assertProblem(await door.json('/metadata-schemas', { slug: 'a b', json_schema: {} }), 422, 'invalid_value');
});

test('routes that are not there are 404, methods 405 with Allow', async () => {
  await assertProblem(await door.call('/nowhere'), 404, 'route_not_found');
  await assertProblem(await door.call('/packages/'), 400, 'invalid_id');
  await assertProblem(await door.call('//packages'), 404, 'route_not_found');
  const response = await door.call('/packages', { method: 'PUT', body: 'x' });
  assert.equal(response.headers.get('allow'), 'POST, GET, HEAD');
  await assertProblem(response, 405, 'method_not_allowed');
  const file = await door.call(`/packages/${missing}/files/a`, { method: 'DELETE' });
  assert.deepEqual(file.headers.get('allow')?.split(', ').sort(), ['GET', 'HEAD', 'OPTIONS', 'PUT']);
  await assertProblem(file, 405, 'method_not_allowed');
  // POST is for tus alone.
  const upload = await door.call(`/uploads/${missing}`, { method: 'POST' });
  assert.deepEqual(upload.headers.get('allow')?.split(', ').sort(), ['DELETE', 'GET', 'HEAD', 'PATCH', 'PUT']);
  await assertProblem(upload, 405, 'method_not_allowed');
  await assertProblem(await door.call(`/packages/${missing}/files/${'a'.repeat(2_000)}`, { method: 'OPTIONS' }), 400, 'invalid_path');
});

test('a body that the schema says is wrong is refused in the words of the rule', async () => {
  const path = `/packages/${missing}`;
  const bytes = { relative_path: 'a', content_address: `sha256:${'0'.repeat(64)}`, size_bytes: 1 };
  for (const [route, body, status, code, field] of [
    [`${path}/retention/extensions`, { reason: 'r' }, 400, 'malformed_request', '/new_expires_at'],
    [
      `${path}/retention/extensions`,
      { reason: 'r', new_expires_at: null, extend_by_seconds: 1 },
      400,
      'malformed_request',
      '/new_expires_at',
    ],
    [`${path}/retention/holds`, { reason: ' ' }, 422, 'invalid_value', '/reason'],
    [`${path}/finalize`, { files_digest: 'sha256:0' }, 400, 'invalid_address', 'files_digest'],
    [`${path}/files`, { items: [{ ...bytes, relative_path: '' }] }, 400, 'invalid_path', '/items/0/relative_path'],
    [`${path}/files`, { items: [{ ...bytes, relative_path: 'a/../b' }] }, 400, 'invalid_path', '/items/0/relative_path'],
    [`${path}/files`, { items: [{ ...bytes, content_address: 'x' }] }, 400, 'invalid_address', '/items/0/content_address'],
    [`${path}/files`, { items: [{ ...bytes, media_type: 'text' }] }, 422, 'invalid_value', '/items/0/media_type'],
    [`${path}/files`, { items: [{ ...bytes, annotations: { A: '' } }] }, 422, 'invalid_value', '/items/0/annotations'],
    ['/metadata-schemas', { slug: '-', json_schema: {} }, 422, 'invalid_value', '/slug'],
  ] as const) {
    const problem = await assertProblem(await door.json(route, body), status, code);
    assert.equal(problem.field, field, JSON.stringify(body));
  }
});

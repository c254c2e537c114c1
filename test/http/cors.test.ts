import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDoor } from '../doors/rest/open-door.ts';

const origin = 'https://app.example.org';

test('no page of another origin is let in where none is named', async () => {
  await using door = await openDoor();
  const response = await door.call('/packages', { headers: { origin } });
  assert.equal(response.status, 200);
  for (const name of ['access-control-allow-origin', 'vary']) assert.equal(response.headers.get(name), null);
  const asked = await fetch(`${door.url}/uploads/x`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PATCH' } });
  assert.equal(asked.status, 405);
});

test('a page whose origin is named asks first, without a token, and reads answers and refusals', async () => {
  await using door = await openDoor({ corsOrigins: [origin] });
  for (const path of ['/uploads', '/uploads/x', '/packages']) {
    const headers = { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization,tus-resumable' };
    const asked = await fetch(`${door.url}${path}`, { method: 'OPTIONS', headers });
    assert.equal(asked.status, 204);
    assert.equal(asked.headers.get('access-control-allow-origin'), origin);
    assert.match(asked.headers.get('access-control-allow-methods')!, /PATCH/);
    assert.equal(asked.headers.get('access-control-allow-headers'), 'authorization,tus-resumable');
    assert.equal(asked.headers.get('access-control-allow-credentials'), null);
    const other = await fetch(`${door.url}${path}`, { method: 'OPTIONS', headers: { ...headers, origin: 'https://other.example.org' } });
    assert.equal(other.headers.get('access-control-allow-origin'), null);
    assert.equal(other.headers.get('vary'), 'origin');
  }
  const { id } = await door.newPackage();
  const put = await door.call(`/packages/${id}/files/a`, { method: 'PUT', body: 'a', headers: { origin } });
  const read = await door.call(`/packages/${id}/files/a`, { headers: { origin } });
  await door.call(`/packages/${id}/finalize`, { method: 'POST' });
  const manifest = await door.call(`/packages/${id}/manifest`, { headers: { origin } });
  const events = await door.call('/events', { headers: { origin } });
  assert.deepEqual(
    [read, manifest, events].map(({ headers }) => headers.get('vary')),
    ['origin', 'origin, accept', 'origin, accept'],
  );
  const refused = await fetch(`${door.url}/packages`, { headers: { origin } });
  // Refused before its body is read, and written by hand.
  const large = await door.call('/uploads', {
    method: 'POST',
    body: Buffer.alloc(200_000),
    headers: { origin, 'tus-resumable': '1.0.0', 'content-type': 'text/plain', 'upload-length': '200000' },
  });
  assert.deepEqual([put.status, read.status, refused.status, large.status], [201, 200, 401, 415]);
  for (const response of [put, read, manifest, events, refused, large]) {
    assert.equal(response.headers.get('access-control-allow-origin'), origin);
    assert.match(response.headers.get('access-control-expose-headers')!, /Upload-Offset/);
  }
  assert.ok(door.lines.some((line) => line.includes('"method":"OPTIONS"')));
});

test('with * every page is let in', async () => {
  await using door = await openDoor({ corsOrigins: ['*'] });
  const response = await door.call('/packages', { headers: { origin: 'null' } });
  assert.equal(response.headers.get('access-control-allow-origin'), 'null');
});

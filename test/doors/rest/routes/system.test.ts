import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Identity } from '../../../../src/identity/IDENTITY.ts';
import type { IssuerStatus } from '../../../../src/identity/oidc/OIDC.ts';
import { openIdentity } from '../../../../src/identity/open.ts';
import type { Principal } from '../../../../src/kernel/access.ts';
import { formatTimestamp } from '../../../../src/kernel/time.ts';
import type { Health, Registry } from '../../../../src/registry/REGISTRY.ts';
import { moveLastEvent } from '../../../registry/future-event.ts';
import { localRoot } from '../../../registry/open-registry.ts';
import { actor, assertProblem, openDoor, token } from '../open-door.ts';

test('the banner, health and readiness say how it is, to anybody', async () => {
  await using door = await openDoor();
  const banner = (await (await fetch(`${door.url}/`)).json()) as { name: string; version: string };
  assert.deepEqual([banner.name, banner.version], ['artifactstore', '0.0.0-test']);
  const health = (await (await fetch(`${door.url}/health`)).json()) as Health;
  assert.deepEqual([health.status, health.db.healthy, health.backend.healthy, health.last_sequence], ['ok', true, true, 0]);
  for (const path of ['/livez', '/readyz']) assert.deepEqual(await (await fetch(door.url + path)).json(), { status: 'ok' });
  assert.equal((await fetch(`${door.url}/health`, { method: 'HEAD' })).status, 200);
  // Who may read everything without a token is not told where things are on this machine.
  await using open = await openDoor({ anonymousRead: true });
  const { db, backend } = (await (await fetch(`${open.url}/health`)).json()) as Health;
  assert.deepEqual([db.detail, backend.detail], ['ok', 'ok']);
});

test('health is 200 and honest when nothing can be known, and readiness is 503', async () => {
  const wrap = (registry: Registry): Registry => ({ ...registry, health: () => Promise.reject(new Error('secret reason')) });
  await using door = await openDoor({ wrap });
  const response = await fetch(`${door.url}/health`);
  const text = await response.text();
  assert.equal(response.status, 200);
  assert.equal((JSON.parse(text) as Health).status, 'degraded');
  assert.doesNotMatch(text, /secret/);
  assert.equal((await fetch(`${door.url}/livez`)).status, 200);
  const ready = await fetch(`${door.url}/readyz`);
  assert.equal(ready.headers.get('retry-after'), '5');
  await assertProblem(ready, 503, 'database_unavailable');
});

test('health names a refused access file, to those who may know the reason', async () => {
  const identity = await openIdentity({ tokens: [{ token: 'observer-token', actor: 'tester' }] });
  const loaded_at = formatTimestamp(0);
  let refused: string | null = null;
  const issuer = { issuer: 'ci', keys: 2, read_at: loaded_at };
  let issuers: readonly IssuerStatus[] = [];
  await using door = await openDoor({
    identity: { ...identity, anonymous: [], status: () => ({ path: '/x', loaded_at, refused, issuers }) },
  });
  const health = async (headers = {}) => (await (await fetch(`${door.url}/health`, { headers })).json()) as Health;
  assert.deepEqual((await health()).access_file, { healthy: true, detail: 'ok', loaded_at, issuers });
  refused = 'line 3 is wrong';
  const { status, access_file } = await health({ authorization: 'Bearer observer-token' });
  assert.deepEqual([status, access_file], ['degraded', { healthy: false, detail: 'line 3 is wrong', loaded_at, issuers }]);
  assert.equal((await health()).access_file?.detail, 'ask with the token of an admin for the reason');
  [refused, issuers] = [null, [{ ...issuer, failure: null }]];
  const known = async () => await health({ authorization: 'Bearer observer-token' });
  assert.deepEqual((await known()).access_file?.issuers, [{ ...issuer, healthy: true, detail: 'ok' }]);
  assert.equal((await known()).status, 'ok');
  issuers = [{ ...issuer, failure: 'nobody is there' }];
  assert.deepEqual((await known()).access_file?.issuers, [{ ...issuer, healthy: false, detail: 'nobody is there' }]);
  assert.deepEqual([(await health()).status, (await health()).access_file?.issuers], ['degraded', []]);
  refused = 'line 3 is wrong';
  const metrics = await fetch(`${door.url}/metrics`, { headers: { authorization: 'Bearer observer-token' } });
  assert.match(await metrics.text(), /^artifactstore_access_file_refused 1$/m);
});

test('the health of a moment is asked for once', async () => {
  let asked = 0;
  const wrap = (registry: Registry): Registry => ({
    ...registry,
    health() {
      asked += 1;
      return registry.health();
    },
  });
  await using door = await openDoor({ wrap });
  await Promise.all(Array.from({ length: 50 }, () => fetch(`${door.url}/health`)));
  assert.ok(asked < 50);
});

test('the metrics that many ask for are made for all of them', async () => {
  let looked = 0;
  const wrap = (registry: Registry): Registry => ({
    ...registry,
    producers: {
      ...registry.producers,
      async list(query) {
        looked += 1;
        return await registry.producers.list(query);
      },
    },
  });
  await using door = await openDoor({ wrap });
  const texts = await Promise.all(Array.from({ length: 50 }, async () => await (await door.call('/metrics')).text()));
  assert.ok(texts.every((text) => text.includes('artifactstore_last_sequence 0\n')));
  assert.ok(looked < 25, `${looked} were made`);
});

test('metrics count by route, method and status, and never by path', async () => {
  await using door = await openDoor();
  const { id } = await door.newPackage();
  await door.call(`/packages/${id}/files/secret-name`, { method: 'PUT', body: 'x'.repeat(1000) });
  await (await door.call(`/packages/${id}/files/secret-name`)).text();
  await door.store.operator.settleHeld();
  for (let begun = 0; begun < 2; begun++) {
    const { headers } = await door.call('/uploads', { method: 'POST' });
    await door.call(headers.get('location')!, { method: 'PUT', body: 'x'.repeat(300) });
  }
  await door.call('/nowhere/at/all');
  const response = await door.call('/metrics');
  assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const text = await response.text();
  for (const line of [
    'artifactstore_http_requests_total{route="/packages/:id/files/*",method="PUT",status="201"} 1',
    'artifactstore_http_requests_total{route="/packages/:id/files/*",method="GET",status="200"} 1',
    'artifactstore_http_requests_total{route="none",method="GET",status="404"} 1',
    'artifactstore_http_received_bytes_total 1600',
    'artifactstore_http_requests_in_flight 1',
    `artifactstore_last_sequence ${await door.lastSequence()}`,
    'artifactstore_failed_locations{backend_id="local"} 0',
    'artifactstore_held_objects{backend_id="local"} 0',
    'artifactstore_held_bytes{backend_id="local"} 0',
    'artifactstore_backend_healthy{backend_id="local"} 1',
    'artifactstore_backend_keys_unread_seconds{backend_id="local"} 0',
    'artifactstore_packages{status="created"} 1',
    'artifactstore_logical_bytes{status="created"} 1000',
    'artifactstore_stored_bytes{backend_id="local"} 1000',
    'artifactstore_reclaimable_bytes{backend_id="local"} 0',
    'artifactstore_open_uploads{backend_id="local"} 2',
    'artifactstore_open_upload_bytes{backend_id="local"} 600',
    'artifactstore_open_write_sessions{backend_id="local"} 0',
  ])
    assert.ok(text.includes(`${line}\n`), line);
  assert.match(text, /^nodejs_eventloop_lag_seconds /m);
  assert.match(text, /^process_resident_memory_bytes /m);
  assert.doesNotMatch(text, new RegExp(`secret-name|${id}|nowhere`));
});

test('how much room there is, is for those who may see the server: an upload that takes none says that others have its bytes', async () => {
  const wrap = (registry: Registry): Registry => ({
    ...registry,
    async health() {
      const { backend, ...health } = await registry.health();
      const roomy = { ...backend, free_bytes: 7, total_bytes: 8, held_objects: 9, held_bytes: 10 };
      return { ...health, backend: roomy, backends: [roomy] };
    },
  });
  const room = async (response: Response) => {
    const { backend, backends } = (await response.json()) as Health;
    return [backend, ...backends].flatMap(({ free_bytes, total_bytes, held_objects, held_bytes }) => [
      free_bytes,
      total_bytes,
      held_objects,
      held_bytes,
    ]);
  };
  const known = await openIdentity({ tokens: [{ token, actor }] });
  const reader: Principal = { actor: 'reader', share: 'reader', grants: [{ role: 'reader', producers: [{ exact: 'p' }] }] };
  const file = { path: 'access.toml', loaded_at: formatTimestamp(0), refused: null, issuers: [] };
  for (const status of [() => undefined, () => file]) {
    const identify: Identity['identify'] = (shown) =>
      shown === 'reader' ? { principal: reader, by: 'a test', expiresAt: null } : known.identify(shown);
    await using door = await openDoor({ wrap, identity: { ...known, identify, status } });
    const asReader = { headers: { authorization: 'Bearer reader' } };
    const all = [7, 8, 9, 10, 7, 8, 9, 10];
    const none = all.map(() => null);
    assert.deepEqual(await room(await door.call('/health')), all);
    // Without an access file everybody with a token sees everything, and nobody sees a part.
    const seen = status() === undefined ? all : none;
    assert.deepEqual(await room(await fetch(`${door.url}/health`)), seen);
    assert.deepEqual(await room(await fetch(`${door.url}/health`, asReader)), none);
    const { db } = (await (await fetch(`${door.url}/health`, asReader)).json()) as Health;
    assert.equal(db.detail, 'ok');
    assert.notEqual(((await (await door.call('/health')).json()) as Health).db.detail, 'ok');
  }
});

test('a clock that is in doubt is told, and does not make a server unready', async () => {
  await using door = await openDoor();
  await door.newPackage();
  moveLastEvent(join(door.store.directory, 'var/artifactstore.db'), '2999-01-31T12:00:00.000Z');
  const ready = await fetch(`${door.url}/readyz`);
  assert.equal(ready.status, 200);
  assert.match(((await ready.json()) as { readonly clock: string }).clock, /written at 2999/);
  const health = (await (await fetch(`${door.url}/health`)).json()) as Health;
  assert.deepEqual([health.status, health.clock.healthy], ['degraded', false]);
  assert.match(await (await door.call('/metrics')).text(), /^artifactstore_clock_in_doubt 1$/m);
});

test('a full disk is told, and does not make a server unready: its reads go on', async () => {
  const wrap = (registry: Registry): Registry => ({
    ...registry,
    async health() {
      const health = await registry.health();
      return { ...health, status: 'degraded', backend: { ...health.backend, healthy: false, full: true, detail: 'there is no room' } };
    },
  });
  await using door = await openDoor({ wrap });
  const ready = await fetch(`${door.url}/readyz`);
  assert.equal(ready.status, 200);
  assert.deepEqual(await ready.json(), { status: 'ok', backend: 'full' });
  assert.deepEqual(await (await door.call('/readyz')).json(), { status: 'ok', backend: 'there is no room' });
});

test('a backend that cannot be written to, or has lost its marker, makes a server unready, with the reason', async () => {
  await using door = await openDoor();
  await (await door.call(`/packages/${(await door.newPackage()).id}/files/x`, { method: 'PUT', body: 'abc' })).text();
  const root = localRoot(door.store.config);
  await rename(root, `${root}-elsewhere`);
  // Strangers are told no directory.
  const wrong = { headers: { authorization: 'Bearer wrong' } };
  for (const path of ['/readyz', '/health'])
    for (const options of [{}, wrong]) {
      const told = await (await fetch(door.url + path, options)).text();
      assert.doesNotMatch(told, /artifactstore-|mounted/);
      assert.match(told, /ask with the token of an admin/);
    }
  assert.match(await (await door.call('/health')).text(), /mounted/);
  const problem = await assertProblem(await door.call('/readyz'), 503, 'storage_unavailable');
  assert.match(String(problem.detail), /can't be used: .*mounted/);
  await rename(`${root}-elsewhere`, root);
});

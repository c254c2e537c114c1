import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { limitNames } from '../../../src/doors/rest/bounds.ts';
import type { Identified, Identity } from '../../../src/identity/IDENTITY.ts';
import { openIdentity } from '../../../src/identity/open.ts';
import { administrator } from '../../../src/kernel/access.ts';
import type { Registry } from '../../../src/registry/REGISTRY.ts';
import { assertProblem, type Door, openDoor } from './open-door.ts';

let door: Door;
const counted = async (limit: string): Promise<number> => {
  const text = await door.door.metrics.render();
  const found = new RegExp(`^artifactstore_http_limits_total\\{limit="${limit}"\\} (\\d+)$`, 'm').exec(text);
  return Number(found?.[1]);
};

before(async () => {
  door = await openDoor({
    anonymousRead: true,
    limits: { requestsOfOne: 3, streamsOfOne: 2, bufferedBytes: 32_768, bufferedWait: 100 },
    tokens: [
      { token: 'a-token-for-tests-0123456789', actor: 'tester' },
      { token: 'another-token-0123456789', actor: 'other' },
    ],
  });
});
after(async () => await door[Symbol.asyncDispose]());

test('every limit is a label from the start', async () => {
  for (const name of limitNames) assert.equal(await counted(name), 0, name);
});

test('one caller has so many streams and requests, another and the probes are answered', async () => {
  const ending = new AbortController();
  const wait = async (): Promise<unknown> =>
    await door.call('/events?since=1000000&wait=60', { signal: ending.signal }).catch(() => undefined);
  const other = { authorization: 'Bearer another-token-0123456789' };
  const held = [wait(), wait()];
  while (!/in_flight 2/.test(await door.door.metrics.render())) await new Promise(setImmediate);

  const refused = await door.call('/events', { headers: { accept: 'text/event-stream' } });
  assert.equal(refused.headers.get('retry-after'), '5');
  const problem = await assertProblem(refused, 503, 'too_busy');
  assert.deepEqual(problem.info, { bound: 'streams_of_one', limit: 2, variable: 'ARTIFACTSTORE_MAX_STREAMS_PER_CALLER' });
  const id = (await door.newPackage()).id;
  await assertProblem(await door.call(`/packages/${id}/files/a`, { method: 'PUT', body: 'a' }), 503, 'too_busy');
  assert.equal((await door.call(`/packages/${id}/files/a`, { method: 'PUT', body: 'a', headers: other })).status, 201);

  const body = door.json('/packages', { producer: 'p' });
  assert.equal((await body).status, 400);
  while (!/in_flight 2/.test(await door.door.metrics.render())) await new Promise(setImmediate);
  const slow = await door.connect();
  slow.write(
    `POST /packages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer a-token-for-tests-0123456789\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
  );
  while (!/in_flight 3/.test(await door.door.metrics.render())) await new Promise(setImmediate);
  assert.equal((await assertProblem(await door.call('/packages'), 503, 'too_busy')).field, undefined);
  for (const path of ['/livez', '/readyz', '/metrics']) assert.equal((await door.call(path)).status, 200, path);
  assert.equal((await door.call('/packages', { headers: other })).status, 200);
  assert.equal((await fetch(`${door.url}/packages`)).status, 200);
  assert.equal(await counted('requests_of_one'), 1);
  assert.equal(await counted('streams_of_one'), 2);

  slow.destroy();
  ending.abort();
  await Promise.all(held);
  while (!/in_flight 0/.test(await door.door.metrics.render())) await new Promise(setImmediate);
  assert.equal((await door.call('/packages')).status, 200);
  const said = door.lines.map((line) => JSON.parse(line)).filter(({ limit }) => limit === 'streams_of_one');
  assert.deepEqual(
    said.map(({ level, msg, times }) => [level, times, msg.startsWith('a limit was met: ')]),
    [[40, 1, true]],
    'one line for two times within ten seconds',
  );
  assert.ok(door.lines.every((line) => !line.includes('token-for-tests')));
});

test('those without a token have a share for each address', async () => {
  const wait = async (from: string): Promise<Socket> => {
    const socket = await door.connect(from);
    socket.write('GET /events?since=1000000&wait=60 HTTP/1.1\r\nhost: x\r\n\r\n');
    return socket;
  };
  const first = [await wait('127.0.0.1'), await wait('127.0.0.1')];
  while (!/in_flight 2/.test(await door.door.metrics.render())) await new Promise(setImmediate);
  const second = await wait('127.0.0.2');
  while (!/in_flight 3/.test(await door.door.metrics.render())) await new Promise(setImmediate);
  const refused = await fetch(`${door.url}/events?since=1000000&wait=60`);
  await assertProblem(refused, 503, 'too_busy');
  for (const socket of [...first, second]) socket.destroy();
  while (!/in_flight 0/.test(await door.door.metrics.render())) await new Promise(setImmediate);
});

test('bodies that are read whole share memory, and what does not get any is refused', async () => {
  const create = { name: 'n', producer: 'p', subject: 's', retention_class: 'transient' };
  const slow = await door.connect();
  slow.on('error', () => undefined);
  slow.write(
    'POST /packages HTTP/1.1\r\nhost: x\r\nauthorization: Bearer a-token-for-tests-0123456789\r\ncontent-type: application/json\r\ncontent-length: 2000\r\n\r\n{',
  );
  while (!/in_flight 1/.test(await door.door.metrics.render())) await new Promise(setImmediate);
  const refused = await door.json('/packages', create);
  const problem = await assertProblem(refused, 503, 'too_busy');
  assert.equal((problem.info as { bound: string }).bound, 'buffered_bytes');
  const other = { authorization: 'Bearer another-token-0123456789', 'content-type': 'application/json' };
  const answered = await door.call('/packages', { method: 'POST', body: JSON.stringify(create), headers: other });
  assert.equal(answered.status, 201);
  slow.destroy();
  while (!/in_flight 0/.test(await door.door.metrics.render())) await new Promise(setImmediate);
  assert.equal((await door.json('/packages', create)).status, 201);
  const large = await door.json('/packages', { ...create, metadata: { long: 'x'.repeat(3_000) } });
  await assertProblem(large, 413, 'body_too_large');
});

test('what a client sends and leaves is counted while it is worked on', async () => {
  const { promise: end, resolve } = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const wrap = (registry: Registry): Registry => ({
    ...registry,
    packages: {
      ...registry.packages,
      async create(input, options) {
        begun.resolve();
        await end;
        return await registry.packages.create(input, options);
      },
    },
  });
  await using held = await openDoor({ wrap, limits: { bufferedBytes: 32_768, bufferedWait: 50 } });
  const metadata = { text: 'x'.repeat(1_200) };
  const body = { name: 'a', producer: 'b', subject: 'c', retention_class: 'raw-evidence', metadata };
  const leaving = new AbortController();
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const left = held.call('/packages', { ...init, signal: leaving.signal }).catch(() => undefined);
  await begun.promise;
  leaving.abort();
  await left;
  while (!/in_flight 0/.test(await held.door.metrics.render())) await new Promise(setImmediate);
  await assertProblem(await held.call('/packages', init), 503, 'too_busy');
  resolve();
  while ((await held.call('/packages', init)).status !== 201) await new Promise(setImmediate);
});

test('who leaves while an issuer is asked keeps no share', async () => {
  const ofServer = await openIdentity({ tokens: [{ token: 'a-token-for-tests-0123456789', actor: 'tester' }] });
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Identified>();
  const identity: Identity = {
    ...ofServer,
    identify(token) {
      if (token !== 'of-an-issuer') return ofServer.identify(token);
      asked.resolve();
      return answer.promise;
    },
  };
  await using slow = await openDoor({ identity, limits: { requestsOfOne: 1 } });
  const headers = { authorization: 'Bearer of-an-issuer' };
  const leaving = new AbortController();
  const left = slow.call('/packages', { headers, signal: leaving.signal }).catch(() => undefined);
  await asked.promise;
  leaving.abort();
  await left;
  while (!/in_flight 0/.test(await slow.door.metrics.render())) await new Promise(setImmediate);
  answer.resolve({ principal: administrator('job'), by: 'issuer of the test', expiresAt: null });
  await new Promise(setImmediate);
  assert.equal((await slow.call('/packages', { headers })).status, 200);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { planFaults } from './faults.ts';
import { answerOf, type RawRequest, sendRaw, startRaw } from './signed-request.ts';
import { openStrictStore, type StrictStore } from './strict-store.ts';

const put: RawRequest = { method: 'PUT', path: '/artifacts/key', body: 'bytes' };
const get: RawRequest = { path: '/artifacts/key' };

test('every second request of an operation fails, others are spared, and all is well again afterwards', async () => {
  await using store = await openStrictStore({ faults: { failEvery: 2, status: 503, onlyOperations: ['PutObject'] } });
  const statuses: number[] = [];
  for (let round = 0; round < 4; round += 1) statuses.push((await sendRaw(store, put)).status, (await sendRaw(store, get)).status);
  assert.deepEqual(statuses, [200, 200, 503, 200, 200, 200, 503, 200]);
  assert.equal((await sendRaw(store, { ...put, path: '/artifacts/other' })).status, 200);
  assert.equal((await sendRaw(store, put)).code, 'SlowDown');
  store.setFaults(undefined);
  for (let round = 0; round < 4; round += 1) assert.equal((await sendRaw(store, put)).status, 200);
  assert.deepEqual(store.requests, { PutObject: 10, GetObject: 4 });
});

test('a fault strikes as often as it is told, and a refused request does nothing', async () => {
  await using store = await openStrictStore({ faults: { status: 500, times: 2 } });
  assert.deepEqual([(await sendRaw(store, put)).status, (await sendRaw(store, put)).code], [500, 'InternalError']);
  assert.deepEqual(store.objects('artifacts'), []);
  assert.equal((await sendRaw(store, put)).status, 200);
  store.setFaults({ status: 409, times: 1 });
  assert.equal((await sendRaw(store, put)).code, 'ConditionalRequestConflict');
});

test('with a probability, the same seed gives the same faults', () => {
  const strikes = (seed: number): string => {
    const plan = planFaults({ failProbability: 0.5, seed });
    return Array.from({ length: 200 }, () => (plan.strike('PutObject') === undefined ? '.' : 'x')).join('');
  };
  assert.equal(strikes(7), strikes(7));
  assert.notEqual(strikes(7), strikes(8));
  const count = strikes(7).replaceAll('.', '').length;
  assert.ok(count > 60 && count < 140, `${count} of 200`);
});

test('a connection is reset before the work, or closed after it', async () => {
  await using store = await openStrictStore({ faults: { resetConnection: true, times: 1 } });
  await assert.rejects(sendRaw(store, put), { code: 'ECONNRESET' });
  assert.deepEqual(store.objects('artifacts'), []);
  store.setFaults({ dropAnswerAfter: 'PutObject', times: 1 });
  assert.equal((await sendRaw(store, get)).status, 404, 'another operation is answered');
  await assert.rejects(sendRaw(store, put));
  assert.deepEqual(store.objects('artifacts'), ['key']);
  assert.equal((await sendRaw(store, put)).status, 200);
});

test('a full store refuses bytes, and still reads and deletes', async () => {
  await using store = await openStrictStore();
  await sendRaw(store, put);
  store.setFaults({ full: true });
  assert.deepEqual(await statusAndCode(store, put), [403, 'QuotaExceeded']);
  assert.equal((await sendRaw(store, get)).body, 'bytes');
  store.setFaults({ full: true, status: 507 });
  assert.deepEqual(await statusAndCode(store, put), [507, 'InsufficientStorage']);
  assert.equal((await sendRaw(store, { ...get, method: 'DELETE' })).status, 204);
});

test('a store that has stopped answering takes requests, until it is closed', async () => {
  await using store = await openStrictStore({ faults: { stopAnswering: true } });
  const { request, body } = startRaw(store, put);
  const answer = answerOf(request).then(
    () => 'answered',
    () => 'cut',
  );
  request.end(body);
  assert.equal(await Promise.race([answer, delay(150, 'silent')]), 'silent');
  await store.close();
  assert.equal(await answer, 'cut');
});

test('answers are late, and bodies slow in both directions', async () => {
  await using store = await openStrictStore({ faults: { delayMilliseconds: 100 } });
  assert.ok((await timed(() => sendRaw(store, put))) >= 95);
  store.place('artifacts', 'key', Buffer.alloc(4000, 'x'));
  store.setFaults({ slowBodyBytesPerSecond: 20_000 });
  let length = 0;
  const down = await timed(async () => {
    length = (await sendRaw(store, get)).body.length;
  });
  assert.equal(length, 4000);
  assert.ok(down >= 180, `${down} ms`);
  assert.ok((await timed(() => sendRaw(store, { ...put, body: Buffer.alloc(4000) }))) >= 180);
});

test('a download is cut after some bytes, with the length of all of them in its head', async () => {
  await using store = await openStrictStore();
  await sendRaw(store, put);
  store.setFaults({ cutDownloadAfterBytes: 3, times: 1 });
  const { request } = startRaw(store, get);
  request.end();
  const seen: Buffer[] = [];
  let declared: string | undefined;
  await assert.rejects(
    new Promise<void>((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response) => {
        declared = response.headers['content-length'];
        response.on('data', (chunk: Buffer) => seen.push(chunk));
        response.on('end', resolve).on('error', reject);
      });
    }),
  );
  assert.equal(declared, '5');
  assert.equal(Buffer.concat(seen).toString(), 'byt');
  assert.equal((await sendRaw(store, get)).body, 'bytes');
});

async function statusAndCode(store: StrictStore, request: RawRequest): Promise<readonly [number, string | undefined]> {
  const { status, code } = await sendRaw(store, request);
  return [status, code];
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

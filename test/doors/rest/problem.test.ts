import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { problems, toProblem } from '../../../src/doors/rest/problem.ts';
import { ArtifactstoreError, errorCodes } from '../../../src/kernel/error.ts';
import type { Registry } from '../../../src/registry/REGISTRY.ts';
import { assertProblem, openDoor } from './open-door.ts';

test('the document has the table of codes as it is', async () => {
  const text = await readFile(new URL('../../../docs/http.md', import.meta.url), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` \| (\d{3}) \| (.+) \|$/gm)].map(([, code, status, title]) => [code, Number(status), title]);
  assert.deepEqual(
    rows,
    errorCodes.map((code) => [code, ...problems[code]]),
  );
});

test('an error of ours says itself; of another the client learns nothing but the request id', async () => {
  const known = new ArtifactstoreError('path_conflict', 'Why.', { field: 'a', info: { b: 1 }, cause: new Error('secret') });
  assert.deepEqual(toProblem(known, 'id'), {
    title: 'The path holds other bytes',
    status: 409,
    detail: 'Why.',
    code: 'path_conflict',
    field: 'a',
    info: { b: 1 },
    request_id: 'id',
  });
  assert.doesNotMatch(JSON.stringify(toProblem(new Error('secret'), 'id')), /secret/);

  const packages = { get: () => Promise.reject(new TypeError('secret reason')) } as unknown as Registry['packages'];
  await using door = await openDoor({ wrap: (registry) => ({ ...registry, packages }) });
  const response = await door.call('/packages/01890000-0000-7000-8000-000000000000', { headers: { 'x-request-id': 'find-me' } });
  const problem = await assertProblem(response, 500, 'internal');
  assert.equal(problem.request_id, 'find-me');
  assert.doesNotMatch(JSON.stringify(problem), /secret/);
  const line = door.lines.find((one) => one.includes('secret reason'));
  assert.match(line ?? '', /"request_id":"find-me"/);
});

test('what cannot be reached is 503 with Retry-After, a full disk 507', async () => {
  for (const [code, status] of [
    ['database_unavailable', 503],
    ['storage_unavailable', 503],
    ['storage_full', 507],
  ] as const) {
    const packages = { abandon: () => Promise.reject(new ArtifactstoreError(code, 'Away.')) } as unknown as Registry['packages'];
    await using door = await openDoor({ wrap: (registry) => ({ ...registry, packages }) });
    const response = await door.call('/packages/01890000-0000-7000-8000-000000000000', { method: 'DELETE' });
    assert.equal(response.headers.get('retry-after'), status === 503 ? '5' : null);
    await assertProblem(response, status, code);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dueBackup, dueVerifications, type Runs } from '../../console/storage/not-known.ts';

const now = Date.UTC(2026, 10, 30, 12);
const day = 86_400_000;

function run(daysAgo: number): Runs['last_backup'] {
  const finished_at = new Date(now - daysAgo * day).toISOString();
  return { started_at: finished_at, finished_at };
}

function backend(backend_id: string, last_verification: Runs['last_backup'], stored_objects = 1): Runs['backends'][number] {
  return { backend_id, stored_objects, last_verification };
}

test('a verification is due where bytes are, and none ended within 30 days', () => {
  const backends = [
    backend('never', null),
    backend('just in time', run(29.99)),
    backend('too long ago', run(30)),
    backend('very long ago', run(400.5)),
    backend('empty', null, 0),
    backend('empty since', run(400), 0),
    backend('by a clock that is ahead', run(-1)),
  ];
  assert.deepEqual(dueVerifications({ backends, last_backup: null }, now), [
    { backend_id: 'never', days: undefined },
    { backend_id: 'too long ago', days: 30 },
    { backend_id: 'very long ago', days: 400 },
  ]);
});

test('a backup is due where bytes are, and none ended within 7 days', () => {
  const due = (last_backup: Runs['last_backup'], stored_objects = 1) =>
    dueBackup({ backends: [backend('local', null, stored_objects), backend('empty', null, 0)], last_backup }, now);
  assert.deepEqual(due(null), { days: undefined });
  assert.equal(due(run(6.99)), undefined);
  assert.deepEqual(due(run(7)), { days: 7 });
  assert.equal(due(run(-1)), undefined);
  assert.equal(due(null, 0), undefined);
  assert.equal(due(run(100), 0), undefined);
});

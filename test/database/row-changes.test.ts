import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRowChanges, type RowChange } from '../../src/database/row-changes.ts';
import type { Change } from '../../src/kernel/views/view.ts';

const key = { backend_id: 'local', content_address: 'blake3:00' };
const row = {
  ...key,
  state: 'live',
  live_generation: 0,
  next_generation: 1,
  object_key: 'k',
  digest_sha256: null,
  size_bytes: 3,
} as const;
const live: Change = { kind: 'upsert', table: 'storage_objects', row, set: { state: 'live', live_generation: 0, next_generation: 1 } };
const released: Change = { kind: 'update', table: 'storage_objects', key, set: { state: 'none', live_generation: null } };
const burnt: Change = {
  kind: 'upsert',
  table: 'storage_objects',
  row: { ...row, state: 'none', live_generation: null, next_generation: 5 },
  set: { next_generation: 5 },
};

test('what happens to one row is merged into one change, in the order in which it happened', () => {
  assert.deepEqual(merged(released, burnt), {
    kind: 'patch',
    key,
    set: { state: 'none', live_generation: null, next_generation: 5 },
    by: {},
  });
  const [change] = [merged(live, released, burnt)];
  assert.equal(change.kind, 'upsert');
  assert.ok(change.kind === 'upsert');
  assert.deepEqual(change.row, { ...row, state: 'none', live_generation: null, next_generation: 5 });
  assert.deepEqual([...change.columns].sort(), ['live_generation', 'next_generation', 'state']);
  const back = merged(released, live);
  assert.ok(back.kind === 'patch');
  assert.deepEqual(back.set, { state: 'live', live_generation: 0, next_generation: 1 });
});

test('increments add up, and a value that is set wins over what was added before', () => {
  const more = (file_count: number): Change => ({
    kind: 'increment',
    table: 'artifact_packages',
    key: { id: 'p' },
    by: { file_count },
    set: {},
  });
  const set: Change = { kind: 'update', table: 'artifact_packages', key: { id: 'p' }, set: { file_count: 10 } };
  assert.deepEqual(merged(more(1), more(2)), { kind: 'patch', key: { id: 'p' }, set: {}, by: { file_count: 3 } });
  assert.deepEqual(merged(more(1), set, more(2)), { kind: 'patch', key: { id: 'p' }, set: { file_count: 12 }, by: {} });
});

test('rows that set the same columns are told from those that set more, and nothing that was given is changed', () => {
  const rows = createRowChanges();
  const other = { ...live, row: { ...row, content_address: 'blake3:01' } } as Change;
  for (const change of [live, other, released, { ...other, set: { size_bytes: 3 } } as Change]) rows.add(change);
  const [first, second] = [...rows.tables.get('storage_objects')!.values()];
  assert.ok(first?.kind === 'upsert' && second?.kind === 'upsert');
  assert.deepEqual([...first.columns], ['state', 'live_generation', 'next_generation']);
  assert.deepEqual([...second.columns], ['state', 'live_generation', 'next_generation', 'size_bytes']);
  assert.equal(first.row.state, 'none');
  assert.equal(row.state, 'live');
});

function merged(...changes: readonly Change[]): RowChange {
  const rows = createRowChanges();
  for (const change of changes) rows.add(change);
  const all = [...rows.tables.values()].flatMap((table) => [...table.values()]);
  assert.equal(all.length, 1);
  return all[0]!;
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../../../src/kernel/content/digest.ts';
import { parseJson } from '../../../src/kernel/format/json.ts';
import type { EventPayloads, EventType, StoredEvent } from '../../../src/kernel/log/event.ts';
import type { Timestamp } from '../../../src/kernel/time.ts';
import { fold, metadataTerm } from '../../../src/kernel/views/fold.ts';
import { type Change, type ViewTable, viewKeys } from '../../../src/kernel/views/view.ts';
import {
  contentAddress,
  createdAt,
  eventTypes,
  fileId,
  holdId,
  locationId,
  manifest,
  objectKey,
  packageId,
  samplePayloads,
  storedEvent,
} from '../log/sample-events.ts';

type Row = Readonly<Record<string, string | number | null>>;
type Views = Map<ViewTable, Map<string, Row>>;

for (const type of eventTypes)
  test(`${type} is folded the same each time, from the event alone`, () => {
    const event = storedEvent(type, samplePayloads[type], 7);
    const payload = event.payload.slice();
    const changes = fold(Object.freeze(event));
    assert.ok(changes.length > 0);
    assert.deepEqual(fold({ ...event }), changes);
    assert.deepEqual(event.payload, payload);
    for (const change of changes) {
      for (const values of 'row' in change ? [change.row, 'set' in change ? change.set : {}] : [change.key, change.set])
        for (const value of Object.values(values)) assert.ok(value === null || ['string', 'number'].includes(typeof value));
      const named: object = 'row' in change ? change.row : change.key;
      for (const column of viewKeys[change.table]) {
        assert.ok(Object.hasOwn(named, column), `${change.table}.${column}`);
        if ('set' in change && change.kind !== 'upsert') assert.ok(!Object.hasOwn(change.set, column), 'a key never changes');
      }
    }
  });

test('unknown event types change nothing', () => {
  for (const type of ['v2.package.created', 'v1.package', '', '__proto__', 'constructor', 'toString', 'hasOwnProperty'])
    assert.deepEqual(fold(storedEvent(type, { anything: [1] })), []);
});

test('a package through its life', () => {
  const views = emptyViews();
  let sequence = 0;
  const at = (minute: number): Timestamp => `2026-01-31T10:${String(minute).padStart(2, '0')}:00.000Z` as Timestamp;
  const happen = <T extends EventType>(type: T, payload: Partial<EventPayloads[T]> = {}): StoredEvent => {
    sequence++;
    const event = storedEvent(type, { ...samplePayloads[type], ...payload }, sequence, at(sequence));
    for (const change of fold(event)) apply(views, change);
    return event;
  };
  const row = (table: ViewTable, ...key: readonly (string | number)[]): Row => {
    const found = views.get(table)!.get(JSON.stringify(key));
    assert.ok(found, `${table} has no ${key}`);
    return found;
  };
  const has = (actual: Row, expected: Row): void => {
    for (const [column, value] of Object.entries(expected)) assert.equal(actual[column], value, column);
  };

  happen('v1.package.created');
  has(row('artifact_packages', packageId), { status: 'created', created_at: at(1), created_sequence: 1, file_count: 0, total_bytes: 0 });
  assert.deepEqual(parseJson(utf8(String(row('artifact_packages', packageId).metadata))), manifest.package.metadata);
  for (const key of ['branch', 'passed', 'score', 'attempts', 'note'])
    assert.equal(row('package_metadata', metadataTerm(key, manifest.package.metadata[key]!), 1).package_id, packageId);
  assert.equal(views.get('package_metadata')!.size, 5, 'top-level scalars only');

  happen('v1.retention.default_applied');
  has(row('retention_state', packageId), { expires_at: manifest.retention_summary.expires_at, eligible_at: null });

  happen('v1.file.ingested');
  has(row('artifact_packages', packageId), { file_count: 1, total_bytes: 1234, changed_at: at(3), created_at: at(1) });
  has(row('artifact_files', fileId), { content_address: contentAddress, annotations: '{"mode":"executable"}', created_sequence: 3 });
  has(row('storage_locations', locationId), { state: 'stored', stored_at: at(3), retrieval_tier: 'hot', object_key: objectKey });
  has(row('storage_objects', 'local', contentAddress), { state: 'live', live_generation: 0, next_generation: 1, object_key: objectKey });

  const finalized = happen('v1.package.finalized');
  has(row('artifact_packages', packageId), {
    status: 'finalized',
    finalized_at: at(4),
    finalized_sequence: 4,
    manifest_digest: `blake3:${Buffer.from(finalized.payload_digest).toString('hex')}`,
  });

  happen('v1.storage.location_verified', { result: 'ok' });
  has(row('storage_locations', locationId), { state: 'verified', verified_at: at(5), failed_reason: null });
  has(row('storage_objects', 'local', contentAddress), { state: 'live' });

  happen('v1.storage.location_verified');
  has(row('storage_locations', locationId), { state: 'failed', verified_at: at(5), failed_reason: 'the digest differs' });
  has(row('storage_objects', 'local', contentAddress), { state: 'failed', live_generation: 0, next_generation: 1 });

  happen('v1.storage.object_repaired');
  has(row('storage_locations', locationId), { state: 'stored', generation: 1, object_key: `${objectKey}.1`, failed_reason: null });
  has(row('storage_objects', 'local', contentAddress), { state: 'live', live_generation: 1, next_generation: 2 });

  happen('v1.retention.hold_applied');
  has(row('retention_holds', holdId), { owner: 'token:01234567', reason: 'under review', applied_at: at(8), released_at: null });
  happen('v1.retention.hold_released');
  has(row('retention_holds', holdId), { released_at: at(9), released_by: 'token:01234567', release_reason: null });
  happen('v1.retention.marked_eligible');
  has(row('retention_state', packageId), { eligible_at: at(10) });
  happen('v1.retention.eligibility_cleared');
  has(row('retention_state', packageId), { eligible_at: null });
  happen('v1.retention.extended', { new_expires_at: '2027-01-01T00:00:00.000Z' });
  has(row('retention_state', packageId), { expires_at: '2027-01-01T00:00:00.000Z' });

  const { location_id: elsewhere } = samplePayloads['v1.storage.location_added'];
  happen('v1.storage.location_added');
  has(row('storage_locations', elsewhere), { state: 'stored', stored_at: at(13), backend_id: 'archive', file_id: fileId });
  has(row('storage_objects', 'archive', contentAddress), { state: 'live', live_generation: 0, next_generation: 1, size_bytes: 1234 });
  has(row('artifact_packages', packageId), { live_locations: 2, file_count: 1, changed_at: at(4) });
  happen('v1.storage.location_added', { location_id: holdId, made_live: false, generation: 7 });
  has(row('storage_objects', 'archive', contentAddress), { live_generation: 0, next_generation: 1 });

  happen('v1.storage.location_deleted', { bytes: 'shared', generation: 1 });
  has(row('storage_locations', locationId), { state: 'deleted' });
  has(row('storage_objects', 'local', contentAddress), { state: 'live', live_generation: 1 });
  happen('v1.storage.location_deleted', { bytes: 'release', generation: 1 });
  has(row('storage_objects', 'local', contentAddress), { state: 'none', live_generation: null, next_generation: 2, object_key: null });
  happen('v1.storage.object_burnt', { generation: 2 });
  has(row('storage_objects', 'local', contentAddress), { state: 'none', next_generation: 3 });
  happen('v1.package.garbage_collected');
  has(row('artifact_packages', packageId), { status: 'garbage_collected', finalized_sequence: 4 });
});

test('a key that was burnt before its object ever lived is not used', () => {
  const views = emptyViews();
  for (const change of fold(storedEvent('v1.storage.object_burnt', { ...samplePayloads['v1.storage.object_burnt'], generation: 4 })))
    apply(views, change);
  const object = views.get('storage_objects')!.get(JSON.stringify(['local', contentAddress]))!;
  assert.equal(object.state, 'none');
  assert.equal(object.next_generation, 5);
});

test('a metadata term tells keys and values apart, by value and type', () => {
  assert.equal(metadataTerm('a', 1), metadataTerm('a', 1.0));
  const terms = [
    metadataTerm('a', 1),
    metadataTerm('a', '1'),
    metadataTerm('a', true),
    metadataTerm('a', 'true'),
    metadataTerm('a', null),
    metadataTerm('a', 'null'),
    metadataTerm('a","b', 1),
    metadataTerm('b', 1),
  ];
  assert.equal(new Set(terms).size, terms.length);
});

test('times in the views are the events’, never the clock’s', () => {
  const changes = JSON.stringify(eventTypes.flatMap((type) => fold(storedEvent(type, samplePayloads[type]))));
  const times = new Set(changes.match(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g));
  const stated = new Set([createdAt, ...(JSON.stringify(samplePayloads).match(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g) ?? [])]);
  assert.deepEqual(
    [...times].filter((time) => !stated.has(time)),
    [],
  );
});

function emptyViews(): Views {
  return new Map((Object.keys(viewKeys) as ViewTable[]).map((table) => [table, new Map<string, Row>()]));
}

/** What a database does with a change, in its plainest form. */
function apply(views: Views, change: Change): void {
  const table = views.get(change.table)!;
  const named = ('row' in change ? change.row : change.key) as Row;
  const key = JSON.stringify(viewKeys[change.table].map((column) => named[column]));
  const before = table.get(key);
  if (change.kind === 'insert') {
    assert.equal(before, undefined, `${change.table} already has ${key}`);
    table.set(key, change.row);
  } else if (change.kind === 'upsert') {
    table.set(key, before === undefined ? change.row : { ...before, ...change.set });
  } else {
    assert.ok(before, `${change.table} has no ${key}`);
    const sums = change.kind === 'increment' ? Object.entries(change.by).map(([column, by]) => [column, Number(before[column]) + by]) : [];
    table.set(key, { ...before, ...Object.fromEntries(sums), ...change.set });
  }
}

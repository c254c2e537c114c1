import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duePackages } from '../../console/storage/due.ts';
import { defectOf, failedObjects } from '../../console/storage/failed-objects.ts';
import { barsOf } from '../../console/usage/groups.ts';

const row = (producer: string, retention_class: string, bytes: number) => ({ producer, retention_class, bytes, packages: 1, files: 2 });

test('bars are the largest, cut by class, and what is left out is counted', () => {
  const rows = [row('a', 'raw', 5), row('b', 'raw', 1), row('a', 'brief', 7), row('c', 'raw', 0)];
  const { bars, legend, most, leftOut } = barsOf(rows, 'bytes', 'producer', 1);
  assert.deepEqual(legend, ['brief', 'raw']);
  assert.deepEqual(bars, [
    {
      name: 'a',
      value: 12,
      parts: [
        { name: 'brief', value: 7 },
        { name: 'raw', value: 5 },
      ],
    },
  ]);
  assert.deepEqual([most, leftOut], [12, { count: 2, value: 1 }]);
  assert.deepEqual(
    barsOf(rows, 'packages', 'retention_class', 5).bars.map(({ name, value }) => [name, value]),
    [
      ['raw', 3],
      ['brief', 1],
    ],
  );
  assert.equal(barsOf([], 'bytes', 'producer', 5).most, 1);
});

const verified = (sequence: number, payload: Readonly<Record<string, string>>, event_type = 'v1.storage.location_verified') => ({
  sequence,
  created_at: '2026-01-01T00:00:00.000Z',
  event_type,
  payload: { backend_id: 'local', ...payload },
});

test('bytes are bad until they are found good or repaired, whatever the order of the pages', () => {
  const events = [
    verified(9, { content_address: 'blake3:b' }, 'v1.storage.object_repaired'),
    verified(3, { content_address: 'blake3:a', result: 'failed', reason: 'gone' }),
    verified(4, { content_address: 'blake3:b', result: 'failed', reason: 'other bytes' }),
    verified(5, { content_address: 'blake3:c', result: 'failed', reason: 'other bytes' }),
    verified(6, { content_address: 'blake3:c', result: 'ok' }),
    verified(7, { result: 'ok' }),
  ];
  assert.deepEqual(
    failedObjects(events).map(({ content_address, reason }) => [content_address, reason]),
    [['blake3:a', 'gone']],
  );
});

test('which defect it is follows from what the log says, and is left open where that says nothing', () => {
  const hex = 'ab'.repeat(32);
  for (const [reason, defect, detail] of [
    ['the object is not in the store', 'missing', ''],
    ['the bytes are not in the store', 'missing', ''],
    [`The stored object blake3:${hex} is damaged: it does not match its digest`, 'damaged', 'it does not match its digest'],
    [`its sha256 digest is ${hex}`, 'damaged', 'its sha256 digest is abababab…abab'],
    ['', 'either', ''],
  ] as const)
    assert.deepEqual(defectOf({ reason }), { defect, detail });
});

test('a package is due from its mark until it is spared or collected', () => {
  const event = (sequence: number, event_type: string, subject_id: string) => ({ sequence, event_type, subject_id });
  const events = [
    event(4, 'v1.retention.eligibility_cleared', 'held'),
    event(1, 'v1.retention.marked_eligible', 'held'),
    event(2, 'v1.retention.marked_eligible', 'gone'),
    event(3, 'v1.retention.marked_eligible', 'due'),
    event(5, 'v1.package.garbage_collected', 'gone'),
  ];
  assert.deepEqual(duePackages(events), ['due']);
});

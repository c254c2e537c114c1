import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeCbor, encodeCbor } from '../../../src/kernel/format/cbor.ts';
import { chainStart, type EventType, linkEvent, type StoredEvent } from '../../../src/kernel/log/event.ts';
import { audienceOf, kindOfType, shownInPart, subjectKindOf } from '../../../src/kernel/log/event-audience.ts';
import type { Timestamp } from '../../../src/kernel/time.ts';
import { eventTypes } from '../../../src/kernel/views/fold.ts';

const of = (event_type: string, subject_kind: string) => audienceOf({ event_type, subject_kind, subject_id: 'x' });

test('every type has its audience', () => {
  assert.deepEqual(Object.keys(subjectKindOf).sort(), [...eventTypes]);
  for (const type of eventTypes) {
    const kind = kindOfType(type)!;
    const expected = ['object', 'backend'].includes(kind) ? 'observers' : kind === 'metadata_schema' ? 'readers' : { of: kind, id: 'x' };
    assert.deepEqual(of(type, kind), expected, type);
  }
});

test('what is not known, or is about something else than its type says, is for observers', () => {
  for (const [type, kind] of [
    ['v9.package.moved', 'package'],
    ['toString', 'package'],
    ['v1.package.created', 'backend'],
    ['v1.storage.location_verified', 'package'],
    ['v1.metadata_schema.registered', 'file'],
  ] as const)
    assert.equal(of(type, kind), 'observers', `${type} ${kind}`);
});

function stored(event_type: EventType, payload: object): StoredEvent {
  const event = { event_type, subject_kind: subjectKindOf[event_type], subject_id: 'x', actor: 'a', payload };
  return linkEvent({ sequence: 0, chain_digest: chainStart }, '2026-01-31T23:59:59.000Z' as Timestamp, event as never);
}

test('a part of the log has no chain, and does not say whether other packages have the same bytes', () => {
  const location = { id: 'l', backend_id: 'b', object_key: 'k', generation: 0 };
  for (const [type, payload, left] of [
    ['v1.file.ingested', { id: 'f', location: { ...location, made_live: false } }, { id: 'f', location }],
    ['v1.storage.location_added', { ...location, made_live: true }, location],
    ['v1.storage.location_deleted', { ...location, bytes: 'shared' }, location],
    ['v1.package.abandoned', { package_id: 'p', cause: 'requested', reason: null }, { package_id: 'p', cause: 'requested', reason: null }],
  ] as const) {
    const event = stored(type, payload);
    const shown = shownInPart(event, false);
    assert.equal(shown.chain_digest, null);
    assert.deepEqual(decodeCbor(shown.payload), left, type);
    // The digest of the whole payload would tell: there are two to try.
    assert.deepEqual(shown, { ...shownInPart(stored(type, left), false) }, type);
    assert.deepEqual(shownInPart(event, true), { ...event, chain_digest: null });
    assert.deepEqual(event.payload, encodeCbor(payload));
  }
});

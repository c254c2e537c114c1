import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toHex } from '../../../src/kernel/content/digest.ts';
import { decodeCbor, encodeCbor } from '../../../src/kernel/format/cbor.ts';
import type { JsonValue } from '../../../src/kernel/format/json.ts';
import type { StoredEvent } from '../../../src/kernel/log/event.ts';
import { encodeEventPage } from '../../../src/kernel/log/event-page.ts';
import { decodeEventPage } from '../../../src/kernel/log/event-page-decoder.ts';
import type { Timestamp } from '../../../src/kernel/time.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 300 });
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
const event: fc.Arbitrary<StoredEvent> = fc.record({
  sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  created_at: fc.constant('2026-01-31T23:59:59.000Z' as Timestamp),
  event_type: text,
  subject_kind: text,
  subject_id: fc.oneof(fc.uuid(), text),
  actor: text,
  payload: fc.jsonValue().map((value) => encodeCbor(value as JsonValue)),
  payload_digest: digest,
  chain_digest: digest,
});

test('a page is the canonical encoding of its events', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), fc.maxSafeNat(), (events, lastSequence) => {
      const items = events.map((stored) => ({
        ...stored,
        payload: decodeCbor(stored.payload),
        payload_digest: `blake3:${toHex(stored.payload_digest)}`,
        chain_digest: `blake3:${toHex(stored.chain_digest)}`,
      }));
      const page = encodeEventPage(events, lastSequence);
      assert.deepEqual(new Uint8Array(page), new Uint8Array(encodeCbor({ items, last_sequence: lastSequence })));
      const inPart = encodeEventPage(
        events.map((each) => ({ ...each, chain_digest: null })),
        lastSequence,
        7,
      );
      const itemsInPart = items.map((each) => ({ ...each, chain_digest: null }));
      const pageInPart = { items: itemsInPart, next_since: 7, last_sequence: lastSequence };
      assert.deepEqual(new Uint8Array(inPart), new Uint8Array(encodeCbor(pageInPart)));
    }),
  );
});

test('a page gives its events back, byte for byte', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), fc.maxSafeNat(), (events, lastSequence) => {
      const given = decodeEventPage(encodeEventPage(events, lastSequence));
      const plain = (each: StoredEvent) => ({ ...each, payload: toHex(each.payload), payload_digest: toHex(each.payload_digest) });
      assert.deepEqual(given.map(plain), events.map(plain));
    }),
  );
  for (const bytes of [encodeCbor({ items: [{}], last_sequence: 0 }), encodeCbor([]), new Uint8Array([0xff])])
    assert.throws(() => decodeEventPage(bytes), { code: 'integrity_failure' });
});

test('the largest page has room', () => {
  const wide = '\u{1F4A1}'.repeat(100);
  const events = Array.from({ length: 500 }, (_, index) => ({
    sequence: 2 ** 53 - 1 - index,
    created_at: '2026-01-31T23:59:59.000Z' as Timestamp,
    event_type: wide,
    subject_kind: wide,
    subject_id: wide,
    actor: '\uFFFD'.repeat(200),
    payload: encodeCbor(null),
    payload_digest: new Uint8Array(32).fill(255),
    chain_digest: new Uint8Array(32),
  }));
  const { items } = decodeCbor(encodeEventPage(events, 2 ** 53 - 1)) as { readonly items: readonly unknown[] };
  assert.equal(items.length, 500);
});

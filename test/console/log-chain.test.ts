import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalCbor } from '../../console/events/canonical-cbor.ts';
import { chainCheck, type LoggedEvent } from '../../console/events/chain.ts';
import { streamText } from '../../console/events/stream-text.ts';
import { digestHex, toHex } from '../../src/kernel/content/digest.ts';
import { decodeCbor, encodeCbor } from '../../src/kernel/format/cbor.ts';
import { chainStart, linkEvent, type NewEvent } from '../../src/kernel/log/event.ts';
import { readTimestamp } from '../../src/kernel/time.ts';

const blake3 = (bytes: Uint8Array): string => digestHex('blake3', bytes);

test('the canonical form is that of the kernel, to the byte', () => {
  const values = [
    0,
    -0,
    23,
    24,
    255,
    256,
    65_536,
    2 ** 32,
    2 ** 53,
    -1,
    -25,
    0.1,
    1.5,
    3.4e38,
    1e300,
    2 ** -24,
    'ä',
    { b: 1, aa: 2, a: [] },
  ];
  for (const value of values) assert.equal(toHex(canonicalCbor(value)), toHex(encodeCbor(value)), String(value));
  fc.assert(
    fc.property(fc.jsonValue(), (value) => assert.equal(toHex(canonicalCbor(value)), toHex(encodeCbor(value)))),
    { numRuns: 300 },
  );
});

/** A log as the kernel links it. */
function log(count: number): readonly LoggedEvent[] {
  let head = { sequence: 0, chain_digest: chainStart };
  return Array.from({ length: count }, (_, index) => {
    const event: NewEvent = {
      event_type: 'v1.retention.hold_released',
      subject_kind: 'package',
      subject_id: 'p',
      actor: 'Jürgen',
      payload: { package_id: 'p', hold_id: `${index}`, reason: index % 2 === 0 ? null : '<b>' },
    };
    const stored = linkEvent(head, readTimestamp('2026-01-01T00:00:00.000Z'), event);
    head = stored;
    return {
      ...stored,
      payload: decodeCbor(stored.payload),
      payload_digest: `blake3:${toHex(stored.payload_digest)}`,
      chain_digest: `blake3:${toHex(stored.chain_digest)}`,
    };
  });
}

const judged = (events: readonly LoggedEvent[]): string => {
  const check = chainCheck(blake3);
  return events.map((event) => check.next(event)).join(' ');
};

test('a chain is followed from the first event, from one in the middle, and not where none is shown', () => {
  const events = log(4);
  assert.equal(judged(events), 'follows follows follows follows');
  assert.equal(judged(events.slice(1)), 'begins follows follows');
  assert.equal(judged(events.map((event) => ({ ...event, chain_digest: null }))), 'no_chain no_chain no_chain no_chain');
  assert.equal(judged([events[0]!, events[2]!, events[3]!]), 'follows begins follows');
});

test('whatever was altered is found where it is', () => {
  const events = log(4);
  const altered = (change: Partial<LoggedEvent>): string => judged(events.map((event, at) => (at === 1 ? { ...event, ...change } : event)));
  assert.equal(altered({ payload: { package_id: 'p', hold_id: '1', reason: 'other' } }), 'follows payload_differs follows follows');
  assert.equal(altered({ actor: 'Mallory' }), 'follows chain_broken follows follows');
  assert.equal(altered({ created_at: '2026-01-01T00:00:00.001Z' }), 'follows chain_broken follows follows');
  assert.equal(altered({ chain_digest: events[0]!.chain_digest }), 'follows chain_broken chain_broken follows');
  assert.equal(judged([events[1]!, events[0]!]), 'begins out_of_order');
});

test('the chain of the published vectors is followed', () => {
  const text = readFileSync(new URL('../../docs/format-vectors.json', import.meta.url), 'utf8');
  const { chain } = JSON.parse(text) as { readonly chain: readonly (LoggedEvent & { readonly payload_jcs: string })[] };
  assert.equal(
    judged(chain.map((event) => ({ ...event, payload: JSON.parse(event.payload_jcs) as unknown }))),
    'follows '.repeat(5).trim(),
  );
});

test('a stream is cut into its messages, wherever its bytes are cut', () => {
  const sent = ': the log follows\n\nid: 7\nevent: v1.a\ndata: {"a":"ü"}\n\n:\n\n:\nid: 9\n\nid: 10\nevent: v1.b\ndata: {}\n\nid: 11\nda';
  const bytes = new TextEncoder().encode(sent);
  const expected = [
    { id: 7, data: '{"a":"ü"}' },
    { id: 9, data: '' },
    { id: 10, data: '{}' },
  ];
  for (const size of [1, 2, 3, 7, 1_000]) {
    const stream = streamText();
    const found = [];
    for (let at = 0; at < bytes.length; at += size) found.push(...stream.push(bytes.subarray(at, at + size)));
    assert.deepEqual(found, expected, `${size}`);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blake3, toHex } from '../../../src/kernel/content/digest.ts';
import { decodeCbor, encodeCbor } from '../../../src/kernel/format/cbor.ts';
import { brokenLink, chainStart, type LogHead, linkEvent, type StoredEvent } from '../../../src/kernel/log/event.ts';
import { formatTimestamp } from '../../../src/kernel/time.ts';
import { createdAt, eventTypes, newEvent, samplePayloads } from './sample-events.ts';

const start: LogHead = { sequence: 0, chain_digest: chainStart };

const sealed: fc.Arbitrary<readonly StoredEvent[]> = fc
  .array(fc.record({ type: fc.constantFrom(...eventTypes), time: fc.nat(2 ** 31), actor: fc.string({ unit: 'grapheme' }) }), {
    minLength: 1,
    maxLength: 12,
  })
  .map((facts) => {
    const log: StoredEvent[] = [];
    for (const { type, time, actor } of facts)
      log.push(linkEvent(log.at(-1) ?? start, formatTimestamp(time), { ...newEvent(type), actor }));
    return log;
  });

/** The sequence of the first row that does not continue the log. */
function firstBroken(log: readonly StoredEvent[]): number | undefined {
  let head: LogHead = start;
  for (const event of log) {
    if (brokenLink(head, event) !== undefined) return event.sequence;
    head = event;
  }
  return undefined;
}

test('what was sealed is a log without gaps, of these payloads', () => {
  fc.assert(
    fc.property(sealed, (log) => {
      assert.equal(firstBroken(log), undefined);
      for (const [index, event] of log.entries()) {
        assert.equal(event.sequence, index + 1);
        assert.deepEqual(decodeCbor(event.payload), samplePayloads[event.event_type as (typeof eventTypes)[number]]);
      }
    }),
  );
});

test('the chain is BLAKE3 over the previous link and the CBOR of the header', () => {
  const first = linkEvent(start, createdAt, newEvent('v1.storage.object_burnt'));
  const second = linkEvent(first, createdAt, newEvent('v1.package.abandoned'));
  for (const [previous, event] of [
    [new Uint8Array(32), first],
    [first.chain_digest, second],
  ] as const) {
    const { sequence, created_at, event_type, subject_kind, subject_id, actor, payload_digest } = event;
    const header = [sequence, created_at, event_type, subject_kind, subject_id, actor, toHex(payload_digest)];
    assert.deepEqual(event.payload_digest, blake3(event.payload));
    assert.deepEqual(event.chain_digest, blake3(Buffer.concat([previous, encodeCbor(header)])));
  }
});

test('one flipped bit in any column is found', () => {
  const columns = [
    'sequence',
    'created_at',
    'event_type',
    'subject_kind',
    'subject_id',
    'actor',
    'payload',
    'payload_digest',
    'chain_digest',
  ] as const;
  fc.assert(
    fc.property(sealed, fc.nat(), fc.constantFrom(...columns), fc.nat(), (log, row, column, bit) => {
      const at = row % log.length;
      const event = log[at]!;
      const spoilt = { ...event, [column]: flipped(event[column], bit) };
      fc.pre(spoilt[column] !== event[column]);
      assert.equal(firstBroken(log.with(at, spoilt)), spoilt.sequence);
    }),
    { numRuns: 1000 },
  );
});

test('a row that is left out, doubled, or moved is found', () => {
  fc.assert(
    fc.property(sealed, fc.nat(), fc.nat(), (log, from, to) => {
      const one = from % log.length;
      const other = to % log.length;
      // The end of a log can only be missed by who knows where it ended.
      if (one < log.length - 1) assert.notEqual(firstBroken(log.toSpliced(one, 1)), undefined);
      assert.notEqual(firstBroken(log.toSpliced(one, 0, log[one]!)), undefined);
      if (one !== other) assert.notEqual(firstBroken(log.with(one, log[other]!).with(other, log[one]!)), undefined);
    }),
  );
});

test('a gap is found though the chain holds', () => {
  const first = linkEvent(start, createdAt, newEvent('v1.storage.object_burnt'));
  for (const sequence of [0, 2, -1])
    assert.match(brokenLink(first, linkEvent({ ...first, sequence }, createdAt, newEvent('v1.package.abandoned'))) ?? '', /follows/);
});

test('a renumbered log without one of its rows is found', () => {
  fc.assert(
    fc.property(sealed, fc.nat(), (log, row) => {
      const at = row % log.length;
      const renumbered = log.toSpliced(at, 1).map((event, index) => ({ ...event, sequence: index + 1 }));
      if (at < log.length - 1) assert.notEqual(firstBroken(renumbered), undefined);
    }),
  );
});

function flipped(value: string | number | Uint8Array, bit: number): string | number | Uint8Array {
  if (typeof value === 'number') return value ^ (1 << (bit % 30));
  const bytes = Uint8Array.from(typeof value === 'string' ? Buffer.from(value) : value);
  if (bytes.length === 0) return value;
  bytes[(bit >> 3) % bytes.length]! ^= 1 << (bit & 7);
  return typeof value === 'string' ? Buffer.from(bytes).toString() : bytes;
}

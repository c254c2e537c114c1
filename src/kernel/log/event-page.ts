import { Buffer } from 'node:buffer';
import { utf8 } from '../content/digest.ts';
import { encodeCbor, stepThroughCbor } from '../format/cbor.ts';
import type { ShownEvent } from './event-audience.ts';

/**
 * `{items, last_sequence}`, or with where the next page begins `{items, next_since, last_sequence}`, as one canonical
 * CBOR item, each event as readers see it: the bytes that `encodeCbor` would make, in a fraction of the time, because
 * all events have the same keys and payloads are canonical already. No other bytes share their memory.
 */
export function encodeEventPage(events: readonly ShownEvent[], lastSequence: number, nextSince?: number): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(events.reduce((sum, event) => sum + largestSize(event), 128));
  let at = 0;

  function put(part: Uint8Array): void {
    bytes.set(part, at);
    at += part.length;
  }

  function putText(text: string): void {
    const { length } = text;
    if (length >= 24 && length < 0x100) {
      const start = at + 2;
      let index = 0;
      for (; index < length; index++) {
        const unit = text.charCodeAt(index);
        if (unit >= 0x80) break;
        bytes[start + index] = unit;
      }
      if (index === length) {
        bytes[at] = 0x78;
        bytes[at + 1] = length;
        at = start + length;
        return;
      }
    }
    put(encodeCbor(text));
  }

  function putDigest(digest: Uint8Array): void {
    for (let index = 0; index < digest.length; index++) {
      const byte = digest[index]!;
      bytes[at] = hexDigits[byte >> 4]!;
      bytes[at + 1] = hexDigits[byte & 15]!;
      at += 2;
    }
  }

  function putInteger(value: number): void {
    if (value < 0x10000 || value > 0xffffffff) {
      put(encodeCbor(value));
      return;
    }
    bytes[at] = 0x1a;
    bytes.writeUInt32BE(value, at + 1);
    at += 5;
  }

  put(nextSince === undefined ? keys.items : keys.itemsOfThree);
  put(arrayHead(events.length));
  for (const event of events) {
    put(keys.actor);
    putText(event.actor);
    put(keys.payload);
    put(event.payload);
    put(keys.sequence);
    putInteger(event.sequence);
    put(keys.created_at);
    putText(event.created_at);
    put(keys.event_type);
    putText(event.event_type);
    put(keys.subject_id);
    putText(event.subject_id);
    if (event.chain_digest === null) put(keys.noChain);
    else {
      put(keys.chain_digest);
      putDigest(event.chain_digest);
    }
    put(keys.subject_kind);
    putText(event.subject_kind);
    put(keys.payload_digest);
    putDigest(event.payload_digest);
  }
  if (nextSince !== undefined) {
    put(keys.next_since);
    putInteger(nextSince);
  }
  put(keys.last_sequence);
  putInteger(lastSequence);
  return bytes.subarray(0, at);
}

/** As the payload of an event whose own is elsewhere: null. */
export const noPayload: Uint8Array = Uint8Array.of(0xf6);

/** Where a page has its first event, and where that one's payload, as offsets into the page's bytes. */
export function firstEventOf(page: Uint8Array): { readonly event: number; readonly payload: number } {
  const steps = stepThroughCbor(page);
  steps.into('map');
  steps.key();
  steps.into('array');
  const event = steps.at();
  for (let left = steps.into('map') ?? 0; left > 0; left--) {
    if (steps.key() === 'payload') return { event, payload: steps.at() };
    steps.value();
  }
  throw new TypeError('The page has no event.');
}

/** What an event takes, with nine bytes for every head. */
function largestSize({ actor, created_at, event_type, subject_id, subject_kind, payload }: ShownEvent): number {
  const texts = Buffer.byteLength(actor) + created_at.length + Buffer.byteLength(event_type) + Buffer.byteLength(subject_id);
  return keysSize + payload.length + texts + Buffer.byteLength(subject_kind) + 6 * 9 + 2 * 64;
}

/** The head of a number, without the three bits that make it an array's. */
function arrayHead(length: number): Uint8Array {
  const head = encodeCbor(length);
  head[0]! |= 0x80;
  return head;
}

/**
 * A map's keys in bytewise order of their encoding, shorter ones first, each with what always follows or goes before
 * it.
 */
const keys = {
  items: concat([0xa2], encodeCbor('items')),
  itemsOfThree: concat([0xa3], encodeCbor('items')),
  actor: concat([0xa9], encodeCbor('actor')),
  payload: encodeCbor('payload'),
  sequence: encodeCbor('sequence'),
  created_at: encodeCbor('created_at'),
  event_type: encodeCbor('event_type'),
  subject_id: encodeCbor('subject_id'),
  chain_digest: concat(encodeCbor('chain_digest'), [0x78, 'blake3:'.length + 64], utf8('blake3:')),
  noChain: concat(encodeCbor('chain_digest'), encodeCbor(null)),
  subject_kind: encodeCbor('subject_kind'),
  payload_digest: concat(encodeCbor('payload_digest'), [0x78, 'blake3:'.length + 64], utf8('blake3:')),
  next_since: encodeCbor('next_since'),
  last_sequence: encodeCbor('last_sequence'),
} as const;

const keysSize = Object.values(keys).reduce((sum, key) => sum + key.length, 0);
const hexDigits = utf8('0123456789abcdef');

function concat(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
}

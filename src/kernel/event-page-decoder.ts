import { decodeCbor, encodeCbor } from './cbor.ts';
import { fromHex } from './digest.ts';
import { ArtifactstoreError } from './error.ts';
import type { StoredEvent } from './event.ts';
import type { Timestamp } from './time.ts';

/**
 * The events of a page that `encodeEventPage` made, as the log stores them. Checks their form only: whether they are one log is the
 * chain's matter (`brokenLink`). Throws `integrity_failure` for bytes that are no such page.
 */
export function decodeEventPage(bytes: Uint8Array): readonly StoredEvent[] {
  let page: unknown;
  try {
    page = decodeCbor(bytes);
  } catch (cause) {
    throw new ArtifactstoreError('integrity_failure', 'The bytes are no canonical CBOR.', { cause });
  }
  const items = isRecord(page) ? page.items : undefined;
  if (!Array.isArray(items)) throw noPage('it has no items');
  return items.map(storedEvent);
}

function storedEvent(item: unknown): StoredEvent {
  if (!isRecord(item)) throw noPage('an item is no object');
  const { sequence, created_at, event_type, subject_kind, subject_id, actor, payload } = item;
  if (!Number.isSafeInteger(sequence) || payload === undefined) throw noPage('an event has no sequence or no payload');
  for (const text of [created_at, event_type, subject_kind, subject_id, actor])
    if (typeof text !== 'string') throw noPage(`event ${sequence} lacks a text`);
  return {
    sequence: sequence as number,
    created_at: created_at as Timestamp,
    event_type: event_type as string,
    subject_kind: subject_kind as string,
    subject_id: subject_id as string,
    actor: actor as string,
    payload: encodeCbor(payload),
    payload_digest: digestOf(item.payload_digest),
    chain_digest: digestOf(item.chain_digest),
  };
}

function digestOf(text: unknown): Uint8Array {
  const digest = typeof text === 'string' && text.startsWith(prefix) ? fromHex(text.slice(prefix.length)) : undefined;
  if (digest?.length !== 32) throw noPage('a digest is not as it should be');
  return digest;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function noPage(what: string): ArtifactstoreError {
  return new ArtifactstoreError('integrity_failure', `The bytes are no page of events: ${what}.`);
}

const prefix = 'blake3:';

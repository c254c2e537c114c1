import { fromHex } from '../content/digest.ts';
import { ArtifactstoreError } from '../error.ts';
import { decodeCbor, encodeCbor } from '../format/cbor.ts';
import type { Timestamp } from '../time.ts';
import type { StoredEvent } from './event.ts';

/**
 * The events of a page that `encodeEventPage` made, as the log stores them. Checks their form only: whether they are
 * one log is the chain's matter (`brokenLink`). Throws `integrity_failure` for bytes that are no such page.
 */
export function decodeEventPage(bytes: Uint8Array): readonly StoredEvent[] {
  let page: unknown;
  try {
    page = decodeCbor(bytes);
  } catch (cause) {
    throw new ArtifactstoreError('integrity_failure', 'The bytes are not canonical CBOR.', { cause });
  }
  const items = isRecord(page) ? page.items : undefined;
  if (!Array.isArray(items)) throw noPage('it has no items');
  return items.map((item, index) => {
    const event = readEventRecord(item);
    if (event === undefined) throw noPage(`item ${index + 1} is no event, or not the whole of it`);
    return event;
  });
}

/** An event as readers see it, as the log stores it; undefined where something is missing or of another form. */
export function readEventRecord(value: unknown): StoredEvent | undefined {
  if (!isRecord(value)) return undefined;
  const { sequence, created_at, event_type, subject_kind, subject_id, actor, payload } = value;
  const payload_digest = digestOf(value.payload_digest);
  const chain_digest = digestOf(value.chain_digest);
  if (
    !Number.isSafeInteger(sequence) ||
    (sequence as number) < 1 ||
    ![created_at, event_type, subject_kind, subject_id, actor].every((text) => typeof text === 'string') ||
    payload === undefined ||
    payload_digest === undefined ||
    chain_digest === undefined
  )
    return undefined;
  return {
    sequence: sequence as number,
    created_at: created_at as Timestamp,
    event_type: event_type as string,
    subject_kind: subject_kind as string,
    subject_id: subject_id as string,
    actor: actor as string,
    payload: encodeCbor(payload),
    payload_digest,
    chain_digest,
  };
}

function digestOf(text: unknown): Uint8Array | undefined {
  const hex = typeof text === 'string' ? /^blake3:([0-9a-f]{64})$/.exec(text)?.[1] : undefined;
  return hex === undefined ? undefined : fromHex(hex);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function noPage(what: string): ArtifactstoreError {
  return new ArtifactstoreError('integrity_failure', `The bytes are no page of events: ${what}.`);
}

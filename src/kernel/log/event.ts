import { Buffer } from 'node:buffer';
import { blake3, digestHex, toHex } from '../content/digest.ts';
import { encodeCbor } from '../format/cbor.ts';
import type { JsonObject } from '../format/json.ts';
import type { Manifest, ManifestFile } from '../manifest.ts';
import type { Timestamp } from '../time.ts';

/**
 * The log's vocabulary: every event that can have happened, by type, with its payload. Events are past-tense facts; the
 * views (`view.ts`) are folds of them and of nothing else. docs/format.md is the promise to other readers.
 */
export interface EventPayloads {
  'v1.package.created': {
    readonly id: string;
    readonly name: string;
    readonly producer: string;
    readonly subject: string;
    readonly retention_class: string;
    readonly metadata: JsonObject;
    readonly metadata_schema_slug: string | null;
  };
  'v1.file.ingested': ManifestFile & { readonly package_id: string; readonly location: IngestedLocation };
  /** The manifest itself: this payload's bytes are the manifest's bytes. */
  'v1.package.finalized': Manifest;
  'v1.package.abandoned': { readonly package_id: string; readonly cause: 'requested' | 'unfinalized'; readonly reason: string | null };
  'v1.package.garbage_collected': { readonly package_id: string; readonly location_count: number };
  'v1.retention.default_applied': {
    readonly package_id: string;
    readonly retention_class: string;
    readonly expires_at: string | null;
  };
  'v1.retention.extended': {
    readonly package_id: string;
    readonly previous_expires_at: string | null;
    readonly new_expires_at: string | null;
    readonly reason: string;
  };
  'v1.retention.hold_applied': { readonly package_id: string; readonly hold_id: string; readonly reason: string };
  'v1.retention.hold_released': { readonly package_id: string; readonly hold_id: string; readonly reason: string | null };
  'v1.retention.marked_eligible': { readonly package_id: string; readonly expires_at: string };
  'v1.retention.eligibility_cleared': { readonly package_id: string; readonly cause: 'extended' | 'held' };
  /**
   * `content_address` is present when the event changes the state of that one object; batches of good locations leave
   * it out.
   */
  'v1.storage.location_verified': {
    readonly backend_id: string;
    readonly result: 'ok' | 'failed';
    readonly location_ids: readonly string[];
    readonly content_address?: string;
    readonly reason?: string;
  };
  /** A file's bytes are in one more place: they were copied there. `made_live` as in `v1.file.ingested`. */
  'v1.storage.location_added': {
    readonly location_id: string;
    readonly file_id: string;
    readonly package_id: string;
    readonly backend_id: string;
    readonly content_address: string;
    readonly generation: number;
    readonly object_key: string;
    readonly digest_sha256: string;
    readonly size_bytes: number;
    readonly made_live: boolean;
  };
  /**
   * `release`: no live location needs the object any more, its key is dead from here on. `shared`: another location
   * still does.
   */
  'v1.storage.location_deleted': {
    readonly location_id: string;
    readonly file_id: string;
    readonly package_id: string;
    readonly backend_id: string;
    readonly content_address: string;
    readonly generation: number;
    readonly object_key: string;
    readonly bytes: 'release' | 'shared';
  };
  /** The key of this generation, and of every one below it that is not live, is never used again. */
  'v1.storage.object_burnt': { readonly backend_id: string; readonly content_address: string; readonly generation: number };
  /** A failed object's good bytes are live again under a new generation; at most 1,000 `location_ids` an event. */
  'v1.storage.object_repaired': {
    readonly backend_id: string;
    readonly content_address: string;
    readonly previous_generation: number;
    readonly generation: number;
    readonly object_key: string;
    readonly location_ids: readonly string[];
  };
  'v1.metadata_schema.registered': { readonly slug: string; readonly json_schema: JsonObject };
}

export interface IngestedLocation {
  readonly id: string;
  readonly backend_id: string;
  readonly object_key: string;
  readonly generation: number;
  /** True when this event made the object live; false when it joined one that was. */
  readonly made_live: boolean;
}

export type EventType = keyof EventPayloads;

export const subjectKinds = ['package', 'file', 'location', 'object', 'backend', 'metadata_schema'] as const;
export type SubjectKind = (typeof subjectKinds)[number];

/** An event as an operation states it; sequence, time and chain are given when it is appended. */
export type NewEvent = {
  readonly [T in EventType]: {
    readonly event_type: T;
    readonly subject_kind: SubjectKind;
    readonly subject_id: string;
    readonly actor: string;
    readonly payload: EventPayloads[T];
  };
}[EventType];

/** What the chain covers besides the payload. */
export interface EventHeader {
  readonly sequence: number;
  readonly created_at: Timestamp;
  readonly event_type: string;
  readonly subject_kind: string;
  readonly subject_id: string;
  readonly actor: string;
}

/** A row of the log, as it is stored: `payload` is canonical CBOR, the digests are 32 bytes each. */
export interface StoredEvent extends EventHeader {
  readonly payload: Uint8Array;
  readonly payload_digest: Uint8Array;
  readonly chain_digest: Uint8Array;
}

/** The chain digest before the first event: 32 zero bytes. */
export const chainStart: Uint8Array = new Uint8Array(32);

/** BLAKE3 over the previous chain digest followed by the canonical CBOR of the header and the payload digest in hex. */
export function chainDigest(previous: Uint8Array, header: EventHeader, payloadDigest: Uint8Array): Uint8Array {
  return blake3(chained(previous, header, toHex(payloadDigest)));
}

/** What a chain digest is over; until the next call. */
function chained(previous: Uint8Array, header: EventHeader, payloadDigestHex: string): Uint8Array {
  const link = encodeCbor([
    header.sequence,
    header.created_at,
    header.event_type,
    header.subject_kind,
    header.subject_id,
    header.actor,
    payloadDigestHex,
  ]);
  const length = previous.length + link.length;
  if (message.length < length) message = Buffer.allocUnsafeSlow(length);
  message.set(previous);
  message.set(link, previous.length);
  return message.subarray(0, length);
}

/** What the last link was made of, in memory that the next is made in. */
let message: Buffer = Buffer.allocUnsafeSlow(1_024);

/** Where the log stands: the last sequence given out and its chain digest. */
export interface LogHead {
  readonly sequence: number;
  readonly chain_digest: Uint8Array;
}

/** Seals one event onto the log's head. */
export function linkEvent(head: LogHead, created_at: Timestamp, event: NewEvent): StoredEvent {
  const payload = encodeCbor(event.payload);
  const header: EventHeader = {
    sequence: head.sequence + 1,
    created_at,
    event_type: event.event_type,
    subject_kind: event.subject_kind,
    subject_id: event.subject_id,
    actor: event.actor,
  };
  const payload_digest = blake3(payload);
  return { ...header, payload, payload_digest, chain_digest: chainDigest(head.chain_digest, header, payload_digest) };
}

/** Why a row's payload is not what its digest says, or undefined when it is. */
export function brokenPayload(event: StoredEvent): string | undefined {
  return brokenBytes(event, toHex(event.payload_digest));
}

function brokenBytes({ sequence, payload }: StoredEvent, payloadDigestHex: string): string | undefined {
  return digestHex('blake3', payload) === payloadDigestHex ? undefined : `the payload of event ${sequence} does not match its digest`;
}

/** Why a row does not continue the log, or undefined when it does. */
export function brokenLink(head: LogHead, event: StoredEvent): string | undefined {
  if (event.sequence !== head.sequence + 1) return `sequence ${event.sequence} follows ${head.sequence}`;
  // As hex, which a link is made of anyway: quicker than to make bytes of what was hashed.
  const payloadDigestHex = toHex(event.payload_digest);
  const broken = brokenBytes(event, payloadDigestHex);
  if (broken !== undefined) return broken;
  if (digestHex('blake3', chained(head.chain_digest, event, payloadDigestHex)) !== toHex(event.chain_digest))
    return `event ${event.sequence} does not continue the chain`;
  return undefined;
}

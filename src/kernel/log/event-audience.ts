import { blake3 } from '../content/digest.ts';
import { decodeCbor, encodeCbor } from '../format/cbor.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../format/json.ts';
import type { EventHeader, EventType, StoredEvent, SubjectKind } from './event.ts';

/** What the events of each type are about. */
export const subjectKindOf: Readonly<Record<EventType, SubjectKind>> = {
  'v1.package.created': 'package',
  'v1.file.ingested': 'file',
  'v1.package.finalized': 'package',
  'v1.package.abandoned': 'package',
  'v1.package.garbage_collected': 'package',
  'v1.retention.default_applied': 'package',
  'v1.retention.extended': 'package',
  'v1.retention.hold_applied': 'package',
  'v1.retention.hold_released': 'package',
  'v1.retention.marked_eligible': 'package',
  'v1.retention.eligibility_cleared': 'package',
  'v1.storage.location_verified': 'backend',
  'v1.storage.location_added': 'location',
  'v1.storage.location_deleted': 'location',
  'v1.storage.object_burnt': 'object',
  'v1.storage.object_repaired': 'object',
  'v1.metadata_schema.registered': 'metadata_schema',
};

export function kindOfType(eventType: string): SubjectKind | undefined {
  return Object.hasOwn(subjectKindOf, eventType) ? subjectKindOf[eventType as EventType] : undefined;
}

/**
 * Who may see an event: whoever may read the package that this is, or that it belongs to; whoever may read anything; or
 * only those with the right `observe`, where it is about a backend or about an object, which packages of several
 * producers can share, and where nobody here knows what it is about.
 */
export type Audience = { readonly of: 'package' | 'file' | 'location'; readonly id: string } | 'readers' | 'observers';

export function audienceOf(event: Pick<EventHeader, 'event_type' | 'subject_kind' | 'subject_id'>): Audience {
  const kind = kindOfType(event.event_type);
  if (kind === undefined || kind !== event.subject_kind) return 'observers';
  switch (kind) {
    case 'package':
    case 'file':
    case 'location':
      return { of: kind, id: event.subject_id };
    case 'metadata_schema':
      return 'readers';
    case 'object':
    case 'backend':
      return 'observers';
  }
}

/** An event as it is shown: without a place in the chain to whoever sees a part of the log only. */
export type ShownEvent = Omit<StoredEvent, 'chain_digest'> & { readonly chain_digest: Uint8Array | null };

/**
 * An event for whoever sees a part of the log. The chain cannot be followed there, and what an unseen event says could
 * be guessed and tried against it. `allPackages`: whether it may read every package. If not, it is not told whether the
 * same bytes belong to a package that it may not read: that member is left out, and the digest is of the payload as it
 * is shown.
 */
export function shownInPart(event: StoredEvent, allPackages: boolean): ShownEvent {
  const shown = { ...event, chain_digest: null };
  const hidden = allPackages ? undefined : membersOfOthers[event.event_type as EventType];
  if (hidden === undefined) return shown;
  const payload = encodeCbor(hidden(decodeCbor(event.payload)));
  return { ...shown, payload, payload_digest: blake3(payload) };
}

/** Of the payload, what depends on other packages with the same bytes. */
const membersOfOthers: { readonly [T in EventType]?: (payload: JsonValue) => JsonValue } = {
  'v1.file.ingested': (payload) =>
    isJsonObject(payload) && payload.location !== undefined ? { ...payload, location: without(payload.location, 'made_live') } : payload,
  'v1.storage.location_added': (payload) => without(payload, 'made_live'),
  'v1.storage.location_deleted': (payload) => without(payload, 'bytes'),
};

function without(value: JsonValue, member: string): JsonValue {
  if (!isJsonObject(value)) return value;
  const { [member]: _left, ...rest }: JsonObject = value;
  return rest;
}

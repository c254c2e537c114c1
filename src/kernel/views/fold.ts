import { blake3, toHex, utf8 } from '../content/digest.ts';
import { decodeCbor } from '../format/cbor.ts';
import { canonicalJson, type JsonValue } from '../format/json.ts';
import type { EventPayloads, EventType, StoredEvent } from '../log/event.ts';
import { fileRow, locationOf, locationRow } from './fold-rows.ts';
import type { Change, ViewTables } from './view.ts';

/**
 * The fold: what one event changes in the views. It reads nothing but the event, so live writes and a replay cannot
 * differ. Unknown event types change nothing.
 */
export function fold(event: StoredEvent): readonly Change[] {
  if (event.event_type === 'v1.package.finalized') return finalized(event);
  if (!Object.hasOwn(folds, event.event_type)) return [];
  const view = folds[event.event_type as keyof typeof folds] as (event: StoredEvent, payload: unknown) => readonly Change[];
  return view(event, decodeCbor(event.payload));
}

/** How a top-level scalar of the metadata is found: BLAKE3, in hex, over the canonical JSON of `[key, value]`. */
export function metadataTerm(key: string, value: JsonValue): string {
  return toHex(blake3(utf8(canonicalJson([key, value]))));
}

/**
 * The payload is a whole manifest, 50 MB perhaps, and the subject says all of it that the views show: it is not
 * decoded.
 */
function finalized(event: StoredEvent): readonly Change[] {
  return [
    packageChange(event, event.subject_id, {
      status: 'finalized',
      finalized_at: event.created_at,
      manifest_digest: `blake3:${toHex(event.payload_digest)}`,
      finalized_sequence: event.sequence,
    }),
  ];
}

const folds: {
  readonly [T in Exclude<EventType, 'v1.package.finalized'>]: (event: StoredEvent, payload: EventPayloads[T]) => readonly Change[];
} = {
  'v1.package.created': (event, payload) => [
    {
      kind: 'insert',
      table: 'artifact_packages',
      row: {
        id: payload.id,
        name: payload.name,
        producer: payload.producer,
        subject: payload.subject,
        retention_class: payload.retention_class,
        status: 'created',
        metadata: canonicalJson(payload.metadata),
        metadata_schema_slug: payload.metadata_schema_slug,
        created_at: event.created_at,
        created_by: event.actor,
        finalized_at: null,
        manifest_digest: null,
        file_count: 0,
        total_bytes: 0,
        live_locations: 0,
        changed_at: event.created_at,
        created_sequence: event.sequence,
        finalized_sequence: null,
      },
    },
    ...Object.entries(payload.metadata)
      .filter(([, value]) => value === null || typeof value !== 'object')
      .map(
        ([key, value]): Change => ({
          kind: 'insert',
          table: 'package_metadata',
          row: { term: metadataTerm(key, value), created_sequence: event.sequence, package_id: payload.id },
        }),
      ),
  ],

  'v1.retention.default_applied': (_event, payload) => [
    {
      kind: 'insert',
      table: 'retention_state',
      row: {
        package_id: payload.package_id,
        retention_class: payload.retention_class,
        expires_at: payload.expires_at,
        eligible_at: null,
        ended_at: null,
      },
    },
  ],

  'v1.file.ingested': (event, payload) => [
    { kind: 'insert', table: 'artifact_files', row: fileRow(event, payload) },
    ...newLocation(event, locationOf(payload)),
    {
      kind: 'increment',
      table: 'artifact_packages',
      key: { id: payload.package_id },
      by: { file_count: 1, total_bytes: payload.size_bytes, live_locations: 1 },
      set: { changed_at: event.created_at },
    },
  ],

  'v1.package.abandoned': (event, payload) => [
    packageChange(event, payload.package_id, { status: 'abandoned' }),
    retentionChange(payload.package_id, { ended_at: event.created_at }),
  ],

  'v1.package.garbage_collected': (event, payload) => [
    packageChange(event, payload.package_id, { status: 'garbage_collected' }),
    retentionChange(payload.package_id, { ended_at: event.created_at }),
  ],

  'v1.retention.extended': (_event, payload) => [retentionChange(payload.package_id, { expires_at: payload.new_expires_at })],

  'v1.retention.hold_applied': (event, payload) => [
    {
      kind: 'insert',
      table: 'retention_holds',
      row: {
        id: payload.hold_id,
        package_id: payload.package_id,
        reason: payload.reason,
        owner: event.actor,
        applied_at: event.created_at,
        released_at: null,
        released_by: null,
        release_reason: null,
      },
    },
  ],

  'v1.retention.hold_released': (event, payload) => [
    {
      kind: 'update',
      table: 'retention_holds',
      key: { id: payload.hold_id },
      set: { released_at: event.created_at, released_by: event.actor, release_reason: payload.reason },
    },
  ],

  'v1.retention.marked_eligible': (event, payload) => [retentionChange(payload.package_id, { eligible_at: event.created_at })],

  'v1.retention.eligibility_cleared': (_event, payload) => [retentionChange(payload.package_id, { eligible_at: null })],

  'v1.storage.location_verified': (event, payload) => [
    ...payload.location_ids.map(
      (id): Change => ({
        kind: 'update',
        table: 'storage_locations',
        key: { id },
        set:
          payload.result === 'ok'
            ? { state: 'verified', verified_at: event.created_at, failed_reason: null }
            : { state: 'failed', failed_reason: payload.reason ?? null },
      }),
    ),
    ...(payload.content_address === undefined
      ? []
      : [objectChange(payload.backend_id, payload.content_address, { state: payload.result === 'ok' ? 'live' : 'failed' })]),
  ],

  'v1.storage.location_added': (event, payload) => [
    ...newLocation(event, payload),
    { kind: 'increment', table: 'artifact_packages', key: { id: payload.package_id }, by: { live_locations: 1 }, set: {} },
  ],

  'v1.storage.location_deleted': (_event, payload) => [
    { kind: 'update', table: 'storage_locations', key: { id: payload.location_id }, set: { state: 'deleted' } },
    { kind: 'increment', table: 'artifact_packages', key: { id: payload.package_id }, by: { live_locations: -1 }, set: {} },
    ...(payload.bytes === 'shared'
      ? []
      : [objectChange(payload.backend_id, payload.content_address, { state: 'none', live_generation: null, object_key: null })]),
  ],

  'v1.storage.object_burnt': (_event, payload) => [
    {
      kind: 'upsert',
      table: 'storage_objects',
      row: {
        backend_id: payload.backend_id,
        content_address: payload.content_address,
        state: 'none',
        live_generation: null,
        next_generation: payload.generation + 1,
        object_key: null,
        digest_sha256: null,
        size_bytes: null,
      },
      set: { next_generation: payload.generation + 1 },
    },
  ],

  'v1.storage.object_repaired': (_event, payload) => [
    objectChange(payload.backend_id, payload.content_address, {
      state: 'live',
      live_generation: payload.generation,
      next_generation: payload.generation + 1,
      object_key: payload.object_key,
    }),
    ...payload.location_ids.map(
      (id): Change => ({
        kind: 'update',
        table: 'storage_locations',
        key: { id },
        set: { state: 'stored', generation: payload.generation, object_key: payload.object_key, failed_reason: null },
      }),
    ),
  ],

  'v1.metadata_schema.registered': (event, payload) => [
    {
      kind: 'insert',
      table: 'metadata_schemas',
      row: {
        slug: payload.slug,
        json_schema: canonicalJson(payload.json_schema),
        created_at: event.created_at,
        created_by: event.actor,
        created_sequence: event.sequence,
      },
    },
  ],
};

function packageChange(event: StoredEvent, id: string, set: Partial<ViewTables['artifact_packages']>): Change {
  return { kind: 'update', table: 'artifact_packages', key: { id }, set: { ...set, changed_at: event.created_at } };
}

function retentionChange(package_id: string, set: Partial<ViewTables['retention_state']>): Change {
  return { kind: 'update', table: 'retention_state', key: { package_id }, set };
}

function objectChange(backend_id: string, content_address: string, set: Partial<ViewTables['storage_objects']>): Change {
  return { kind: 'update', table: 'storage_objects', key: { backend_id, content_address }, set };
}

/** A location, and its object where the event made it live. */
function newLocation(event: StoredEvent, added: EventPayloads['v1.storage.location_added']): readonly Change[] {
  const { backend_id, content_address, generation, object_key, digest_sha256, size_bytes } = added;
  const live = {
    state: 'live',
    live_generation: generation,
    next_generation: generation + 1,
    object_key,
    digest_sha256,
    size_bytes,
  } as const;
  const location: Change = { kind: 'insert', table: 'storage_locations', row: locationRow(event, added) };
  if (!added.made_live) return [location];
  return [{ kind: 'upsert', table: 'storage_objects', row: { backend_id, content_address, ...live }, set: live }, location];
}

/** Every type that an event of this software can have. */
export const eventTypes: readonly string[] = ['v1.package.finalized', ...Object.keys(folds)].sort();

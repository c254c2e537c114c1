import { blake3 } from '../../../src/kernel/content/digest.ts';
import { encodeCbor } from '../../../src/kernel/format/cbor.ts';
import type { EventPayloads, EventType, NewEvent, StoredEvent } from '../../../src/kernel/log/event.ts';
import type { Manifest, ManifestFile } from '../../../src/kernel/manifest.ts';
import type { Timestamp } from '../../../src/kernel/time.ts';

export const packageId = '0190f0a0-0000-7000-8000-000000000001';
export const fileId = '0190f0a0-0000-7000-8000-000000000002';
export const locationId = '0190f0a0-0000-7000-8000-000000000003';
export const holdId = '0190f0a0-0000-7000-8000-000000000004';
const digest = 'ab'.repeat(32);
export const contentAddress: string = `blake3:${digest}`;
export const objectKey: string = `blake3/ab/ab/${digest}`;
export const createdAt = '2026-01-31T10:00:00.000Z' as Timestamp;

const file: ManifestFile = {
  id: fileId,
  relative_path: 'reports/übersicht.json',
  media_type: 'application/json',
  size_bytes: 1234,
  digest_algorithm: 'blake3',
  digest_primary: digest,
  digest_sha256: 'cd'.repeat(32),
  content_address: contentAddress,
  annotations: { mode: 'executable' },
};

export const manifest: Manifest = {
  manifest_version: 1,
  package: {
    id: packageId,
    name: 'run 7',
    producer: 'guide-board',
    subject: 'main',
    retention_class: 'raw-evidence',
    metadata: { branch: 'main', passed: true, score: 0.5, attempts: 3, note: null, nested: { deep: [1, 'two'] } },
    metadata_schema_slug: null,
    created_at: createdAt,
    created_by: 'token:01234567',
  },
  files: [file],
  storage_receipts: [
    { file_id: fileId, backend_id: 'local', object_key: objectKey, content_address: contentAddress, stored_at: createdAt },
  ],
  retention_summary: { retention_class: 'raw-evidence', expires_at: '2026-05-01T10:00:00.000Z' },
  provenance: {
    finalized_at: '2026-01-31T10:01:00.000Z',
    finalized_by: 'token:01234567',
    registry_id: '0190f0a0-0000-7000-8000-00000000000f',
    software: 'artifactstore/0.2.0',
  },
};

/** One payload of every type: a type without one does not compile. */
export const samplePayloads: EventPayloads = {
  'v1.package.created': {
    id: packageId,
    name: manifest.package.name,
    producer: manifest.package.producer,
    subject: manifest.package.subject,
    retention_class: manifest.package.retention_class,
    metadata: manifest.package.metadata,
    metadata_schema_slug: null,
  },
  'v1.file.ingested': {
    ...file,
    package_id: packageId,
    location: { id: locationId, backend_id: 'local', object_key: objectKey, generation: 0, made_live: true },
  },
  'v1.package.finalized': manifest,
  'v1.package.abandoned': { package_id: packageId, cause: 'requested', reason: null },
  'v1.package.garbage_collected': { package_id: packageId, location_count: 1 },
  'v1.retention.default_applied': {
    package_id: packageId,
    retention_class: 'raw-evidence',
    expires_at: manifest.retention_summary.expires_at,
  },
  'v1.retention.extended': {
    package_id: packageId,
    previous_expires_at: manifest.retention_summary.expires_at,
    new_expires_at: null,
    reason: 'an audit needs it',
  },
  'v1.retention.hold_applied': { package_id: packageId, hold_id: holdId, reason: 'under review' },
  'v1.retention.hold_released': { package_id: packageId, hold_id: holdId, reason: null },
  'v1.retention.marked_eligible': { package_id: packageId, expires_at: '2026-05-01T10:00:00.000Z' },
  'v1.retention.eligibility_cleared': { package_id: packageId, cause: 'held' },
  'v1.storage.location_verified': {
    backend_id: 'local',
    result: 'failed',
    location_ids: [locationId],
    content_address: contentAddress,
    reason: 'the digest differs',
  },
  'v1.storage.location_added': {
    location_id: '0190f0a0-0000-7000-8000-000000000005',
    file_id: fileId,
    package_id: packageId,
    backend_id: 'archive',
    content_address: contentAddress,
    generation: 0,
    object_key: objectKey,
    digest_sha256: file.digest_sha256,
    size_bytes: file.size_bytes,
    made_live: true,
  },
  'v1.storage.location_deleted': {
    location_id: locationId,
    file_id: fileId,
    package_id: packageId,
    backend_id: 'local',
    content_address: contentAddress,
    generation: 0,
    object_key: objectKey,
    bytes: 'release',
  },
  'v1.storage.object_burnt': { backend_id: 'local', content_address: contentAddress, generation: 0 },
  'v1.storage.object_repaired': {
    backend_id: 'local',
    content_address: contentAddress,
    previous_generation: 0,
    generation: 1,
    object_key: `${objectKey}.1`,
    location_ids: [locationId],
  },
  'v1.metadata_schema.registered': { slug: 'run', json_schema: { type: 'object', required: ['branch'] } },
};

export const eventTypes: readonly EventType[] = Object.keys(samplePayloads) as EventType[];

export function newEvent<T extends EventType>(event_type: T, payload: EventPayloads[T] = samplePayloads[event_type]): NewEvent {
  return { event_type, subject_kind: 'package', subject_id: packageId, actor: 'token:01234567', payload } as NewEvent;
}

/** A row of the log that belongs to no chain, for whoever reads one event alone. */
export function storedEvent(event_type: string, payload: unknown, sequence = 1, created_at: Timestamp = createdAt): StoredEvent {
  const bytes = encodeCbor(payload);
  return {
    sequence,
    created_at,
    event_type,
    subject_kind: 'package',
    subject_id: packageId,
    actor: 'token:01234567',
    payload: bytes,
    payload_digest: blake3(bytes),
    chain_digest: new Uint8Array(32),
  };
}

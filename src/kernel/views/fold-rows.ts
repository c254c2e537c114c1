import { canonicalJson } from '../format/json.ts';
import type { EventPayloads, StoredEvent } from '../log/event.ts';
import type { ViewTables } from './view.ts';

// The rows that a file adds when it is ingested, as its event alone says: the fold inserts them, and an operation that
// appends the event answers with them.

type Ingested = EventPayloads['v1.file.ingested'];
type LocationAdded = EventPayloads['v1.storage.location_added'];

export function fileRow(
  { sequence, created_at }: Pick<StoredEvent, 'sequence' | 'created_at'>,
  payload: Ingested,
): ViewTables['artifact_files'] {
  return {
    id: payload.id,
    package_id: payload.package_id,
    relative_path: payload.relative_path,
    media_type: payload.media_type,
    size_bytes: payload.size_bytes,
    digest_algorithm: payload.digest_algorithm,
    digest_primary: payload.digest_primary,
    digest_sha256: payload.digest_sha256,
    content_address: payload.content_address,
    annotations: canonicalJson(payload.annotations),
    created_at,
    created_sequence: sequence,
  };
}

/** The location that a file is ingested with, as one that is added to a file is stated. */
export function locationOf(payload: Ingested): LocationAdded {
  const { id, package_id, content_address, digest_sha256, size_bytes, location } = payload;
  const { backend_id, object_key, generation, made_live } = location;
  // One by one: to copy two objects whole took as long as to make the row.
  return {
    location_id: location.id,
    file_id: id,
    package_id,
    backend_id,
    content_address,
    digest_sha256,
    size_bytes,
    generation,
    object_key,
    made_live,
  };
}

export function locationRow({ created_at }: Pick<StoredEvent, 'created_at'>, added: LocationAdded): ViewTables['storage_locations'] {
  return {
    id: added.location_id,
    file_id: added.file_id,
    package_id: added.package_id,
    backend_id: added.backend_id,
    content_address: added.content_address,
    generation: added.generation,
    object_key: added.object_key,
    state: 'stored',
    stored_at: created_at,
    verified_at: null,
    failed_reason: null,
    retrieval_tier: 'hot',
    restore_status: null,
  };
}

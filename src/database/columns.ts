import type { ViewTable, ViewTables } from '../kernel/views/view.ts';
import type { InsertedTable } from './DATABASE.ts';
import type { LogTables, OperationalTables } from './schema.ts';

export type ColumnKind = 'text' | 'integer' | 'bytes';

/** The columns of the log, in the order in which they are written. */
export const eventColumns: Readonly<Record<keyof LogTables['events'], ColumnKind>> = {
  sequence: 'integer',
  created_at: 'text',
  event_type: 'text',
  subject_kind: 'text',
  subject_id: 'text',
  actor: 'text',
  payload: 'bytes',
  payload_digest: 'bytes',
  chain_digest: 'bytes',
};

/** The columns of each view, in the order in which they are written. */
export const viewColumns: { readonly [T in ViewTable]: Readonly<Record<keyof ViewTables[T], ColumnKind>> } = {
  artifact_packages: {
    id: 'text',
    name: 'text',
    producer: 'text',
    subject: 'text',
    retention_class: 'text',
    status: 'text',
    metadata: 'text',
    metadata_schema_slug: 'text',
    created_at: 'text',
    created_by: 'text',
    finalized_at: 'text',
    manifest_digest: 'text',
    file_count: 'integer',
    total_bytes: 'integer',
    live_locations: 'integer',
    changed_at: 'text',
    created_sequence: 'integer',
    finalized_sequence: 'integer',
  },
  package_metadata: { term: 'text', created_sequence: 'integer', package_id: 'text' },
  artifact_files: {
    id: 'text',
    package_id: 'text',
    relative_path: 'text',
    media_type: 'text',
    size_bytes: 'integer',
    digest_algorithm: 'text',
    digest_primary: 'text',
    digest_sha256: 'text',
    content_address: 'text',
    annotations: 'text',
    created_at: 'text',
    created_sequence: 'integer',
  },
  storage_objects: {
    backend_id: 'text',
    content_address: 'text',
    state: 'text',
    live_generation: 'integer',
    next_generation: 'integer',
    object_key: 'text',
    digest_sha256: 'text',
    size_bytes: 'integer',
  },
  storage_locations: {
    id: 'text',
    file_id: 'text',
    package_id: 'text',
    backend_id: 'text',
    content_address: 'text',
    generation: 'integer',
    object_key: 'text',
    state: 'text',
    stored_at: 'text',
    verified_at: 'text',
    failed_reason: 'text',
    retrieval_tier: 'text',
    restore_status: 'text',
  },
  retention_state: { package_id: 'text', retention_class: 'text', expires_at: 'text', eligible_at: 'text', ended_at: 'text' },
  retention_holds: {
    id: 'text',
    package_id: 'text',
    reason: 'text',
    owner: 'text',
    applied_at: 'text',
    released_at: 'text',
    released_by: 'text',
    release_reason: 'text',
  },
  metadata_schemas: { slug: 'text', json_schema: 'text', created_at: 'text', created_by: 'text', created_sequence: 'integer' },
  producer_usage: { producer: 'text', packages: 'integer', files: 'integer', bytes: 'integer' },
};

/** The columns of the operational tables that rows are inserted into beside the views. */
export const insertedColumns: { readonly [T in InsertedTable]: Readonly<Record<keyof OperationalTables[T], ColumnKind>> } = {
  idempotency_keys: { producer: 'text', idempotency_key: 'text', request_digest: 'text', package_id: 'text', created_at: 'text' },
  held_objects: { sequence: 'integer', backend_id: 'text', object_key: 'text', size_bytes: 'integer', bytes: 'bytes' },
  block_digests: { content_address: 'text', block_bytes: 'integer', digests: 'bytes' },
  write_session_objects: {
    session_id: 'text',
    name: 'text',
    sha256: 'text',
    size_bytes: 'integer',
    media_type: 'text',
    state: 'text',
    place_id: 'text',
    segments: 'text',
  },
};

/** Of these a row that is there already stays. */
export const keptTables: ReadonlySet<InsertedTable> = new Set(['block_digests']);

export const viewTables: readonly ViewTable[] = Object.keys(viewColumns) as ViewTable[];

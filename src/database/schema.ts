import type { ViewTables } from '../kernel/views/view.ts';

/** Every table, for Kysely. Column types are those of the TypeScript side; docs/format.md gives the SQL ones. */
export interface Schema extends ViewTables, LogTables, ConfigurationTables, OperationalTables {}

/** The truth. Rows are never changed. */
export interface LogTables {
  events: {
    sequence: number;
    created_at: string;
    event_type: string;
    subject_kind: string;
    subject_id: string;
    actor: string;
    /** Canonical CBOR. */
    payload: Uint8Array;
    payload_digest: Uint8Array;
    chain_digest: Uint8Array;
  };
}

/** Written once. */
export interface ConfigurationTables {
  registry: { id: string; format_version: number; created_at: string };
}

/** Replay leaves these alone. Losing them loses no package, except `held_objects`, whose bytes are nowhere else. */
export interface OperationalTables {
  /**
   * Bytes of small objects that are not in their backend yet. `sequence` is that of the event that made the object
   * live, so that their order is that in which they came.
   */
  held_objects: { sequence: number; backend_id: string; object_key: string; size_bytes: number; bytes: Uint8Array };
  /** One row (id 1): the last sequence given out and its chain digest. Holding it is holding the log. */
  log_head: { id: number; sequence: number; chain_digest: Uint8Array };
  /**
   * One holder at a time for work that only one process should do; a lease outlives a killed holder until it expires.
   */
  leases: { name: string; holder: string; expires_at: string };
  uploads: {
    id: string;
    created_at: string;
    created_by: string;
    updated_at: string;
    backend_id: string;
    draft_id: string;
    expected_size_bytes: number | null;
    media_type: string | null;
    offset_bytes: number;
    state: string;
    /** Canonical JSON: what a later step needs to continue. */
    detail: string;
  };
  idempotency_keys: {
    producer: string;
    idempotency_key: string;
    request_digest: string;
    package_id: string;
    created_at: string;
  };
  /** Sets of files that become one package each. A committed one is remembered for its idempotency key. */
  write_sessions: {
    id: string;
    created_at: string;
    created_by: string;
    updated_at: string;
    expires_at: string;
    producer: string;
    scope: string;
    idempotency_key: string;
    request_digest: string;
    backend_id: string;
    state: string;
    reason: string | null;
    package_id: string | null;
    object_count: number;
    total_bytes: number;
    /** JSON: what the package will be. */
    detail: string;
  };
  /** Of sessions that are open or being committed. `place_id` names the bytes that came, as an upload's id does. */
  write_session_objects: {
    session_id: string;
    name: string;
    sha256: string;
    size_bytes: number;
    media_type: string;
    state: string;
    place_id: string | null;
    /** JSON; null where no bytes came. */
    segments: string | null;
  };
  /** Keys that are dead in the log and whose bytes may still be there: what a collection still has to delete. */
  dead_keys: { backend_id: string; object_key: string; since: string };
  /** BLAKE3 of each 1 MiB block of an object's bytes, 32 bytes each, concatenated; rebuildable from the bytes. */
  block_digests: { content_address: string; block_bytes: number; digests: Uint8Array };
  /**
   * Backends in which this registry has found or written its marker: from then on one without it is not taken for a new
   * one.
   */
  storage_markers: { backend_id: string; recorded_at: string };
  /** When maintenance last came to its end; `backend_id` is empty for what is about all backends. */
  runs: { kind: string; backend_id: string; started_at: string; finished_at: string };
  verification_progress: { backend_id: string; run_id: string; cursor: string; started_at: string; updated_at: string; detail: string };
}

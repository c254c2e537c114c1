/**
 * The views: tables that are folds of the log and can be rebuilt from it byte for byte. Booleans and JSON are kept as
 * text or 0/1.
 */
export interface ViewTables {
  artifact_packages: {
    id: string;
    name: string;
    producer: string;
    subject: string;
    retention_class: string;
    status: PackageStatus;
    /** Canonical JSON (RFC 8785). */
    metadata: string;
    metadata_schema_slug: string | null;
    created_at: string;
    created_by: string;
    finalized_at: string | null;
    manifest_digest: string | null;
    file_count: number;
    total_bytes: number;
    /** Locations that were not deleted: what a collection still has to release. */
    live_locations: number;
    changed_at: string;
    created_sequence: number;
    /** The event whose payload is the manifest. */
    finalized_sequence: number | null;
  };
  /** One row for each top-level scalar of a package's metadata, for look-up: `term` is `metadataTerm(key, value)`. */
  package_metadata: { term: string; created_sequence: number; package_id: string };
  artifact_files: {
    id: string;
    package_id: string;
    relative_path: string;
    media_type: string;
    size_bytes: number;
    digest_algorithm: string;
    digest_primary: string;
    digest_sha256: string;
    content_address: string;
    /** Canonical JSON (RFC 8785). */
    annotations: string;
    created_at: string;
    created_sequence: number;
  };
  /** One row for each (backend, content address) that ever had bytes or was burnt. */
  storage_objects: {
    backend_id: string;
    content_address: string;
    state: ObjectState;
    live_generation: number | null;
    /** The only generation that an ingest may publish under. */
    next_generation: number;
    object_key: string | null;
    digest_sha256: string | null;
    size_bytes: number | null;
  };
  storage_locations: {
    id: string;
    file_id: string;
    package_id: string;
    backend_id: string;
    content_address: string;
    generation: number;
    object_key: string;
    state: LocationState;
    stored_at: string;
    verified_at: string | null;
    failed_reason: string | null;
    retrieval_tier: string;
    restore_status: string | null;
  };
  retention_state: {
    package_id: string;
    retention_class: string;
    expires_at: string | null;
    eligible_at: string | null;
    /** When the package was abandoned or collected: retention has nothing more to decide about it. */
    ended_at: string | null;
  };
  retention_holds: {
    id: string;
    package_id: string;
    reason: string;
    owner: string;
    applied_at: string;
    released_at: string | null;
    released_by: string | null;
    release_reason: string | null;
  };
  metadata_schemas: { slug: string; json_schema: string; created_at: string; created_by: string; created_sequence: number };
  /**
   * The sum of `artifact_packages` by producer: of those that are `created` or `finalized`. No event is folded into it.
   */
  producer_usage: { producer: string; packages: number; files: number; bytes: number };
}

export type PackageStatus = 'created' | 'finalized' | 'abandoned' | 'garbage_collected';
export type ObjectState = 'none' | 'live' | 'failed';
export type LocationState = 'stored' | 'verified' | 'failed' | 'deleted';
export type ViewTable = keyof ViewTables;
/** The views that events change; the other follows from the rows of one of them. */
export type FoldedTable = Exclude<ViewTable, 'producer_usage'>;

/** The primary key of each view; also the order in which two copies are compared. */
export interface ViewKeys {
  readonly artifact_packages: readonly ['id'];
  readonly package_metadata: readonly ['term', 'created_sequence'];
  readonly artifact_files: readonly ['id'];
  readonly storage_objects: readonly ['backend_id', 'content_address'];
  readonly storage_locations: readonly ['id'];
  readonly retention_state: readonly ['package_id'];
  readonly retention_holds: readonly ['id'];
  readonly metadata_schemas: readonly ['slug'];
  readonly producer_usage: readonly ['producer'];
}

export const viewKeys: ViewKeys = {
  artifact_packages: ['id'],
  package_metadata: ['term', 'created_sequence'],
  artifact_files: ['id'],
  storage_objects: ['backend_id', 'content_address'],
  storage_locations: ['id'],
  retention_state: ['package_id'],
  retention_holds: ['id'],
  metadata_schemas: ['slug'],
  producer_usage: ['producer'],
} as const satisfies { readonly [T in ViewTable]: readonly (keyof ViewTables[T])[] };

/**
 * One change of one row. `upsert` inserts `row`, or sets `set` where the key is already there; `increment` adds to
 * numbers.
 */
export type Change = {
  [T in FoldedTable]:
    | { readonly kind: 'insert'; readonly table: T; readonly row: Readonly<ViewTables[T]> }
    | { readonly kind: 'update'; readonly table: T; readonly key: RowKey<T>; readonly set: Readonly<Partial<ViewTables[T]>> }
    | {
        readonly kind: 'upsert';
        readonly table: T;
        readonly row: Readonly<ViewTables[T]>;
        readonly set: Readonly<Partial<ViewTables[T]>>;
      }
    | {
        readonly kind: 'increment';
        readonly table: T;
        readonly key: RowKey<T>;
        readonly by: Readonly<Partial<Record<keyof ViewTables[T], number>>>;
        readonly set: Readonly<Partial<ViewTables[T]>>;
      };
}[FoldedTable];

type RowKey<T extends ViewTable> = Readonly<Pick<ViewTables[T], Extract<ViewKeys[T][number], keyof ViewTables[T]>>>;

// What upkeep of the store takes and answers: sweep, collection, verification, moves, adoption, orphans.

export interface SweepOptions {
  /** Who is said to have done it; `operator` where absent. */
  readonly actor?: string;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface Sweep {
  readonly marked_package_ids: readonly string[];
  readonly marked_count: number;
}

export interface CollectOptions {
  readonly actor?: string;
  /** Drafts that were not written to for this long are forgotten ones; 3,600 where absent. */
  readonly draftAgeSeconds?: number;
  readonly onProgress?: (counts: CollectionCounts) => void;
  readonly signal?: AbortSignal;
}

export type PlanOptions = Pick<CollectOptions, 'draftAgeSeconds' | 'signal'>;

export interface CollectionCounts {
  readonly released_locations: number;
  /** Objects that no live location needed any more. */
  readonly deleted_objects: number;
  readonly reclaimed_drafts: number;
  /** Bytes that lay in a backend and were never live. */
  readonly deleted_orphans: number;
}

export interface Collection extends CollectionCounts {
  /** Never sealed, and not changed for too long. */
  readonly abandoned_package_ids: readonly string[];
  readonly collected_package_ids: readonly string[];
  /**
   * What lies in each backend now, or is held for it, beside what the log says is live: equal unless something was
   * written or deleted meanwhile.
   */
  readonly backends: readonly StoredBytes[];
  /**
   * By backend that is not configured now: objects that nobody needs any more and that could not be deleted there. A
   * run that has it again deletes them.
   */
  readonly left_over: readonly { readonly backend_id: string; readonly objects: number }[];
}

export interface StoredBytes {
  readonly backend_id: string;
  readonly stored_objects: number;
  readonly stored_bytes: number;
  readonly live_objects: number;
  readonly live_bytes: number;
}

export interface CollectionPlan {
  readonly abandon_package_ids: readonly string[];
  readonly collect_package_ids: readonly string[];
  readonly release_locations: number;
  /** By backend. */
  readonly delete_objects: readonly { readonly backend_id: string; readonly objects: number; readonly bytes: number }[];
  /** By backend: what lies there now and no event makes live. */
  readonly delete_orphans: readonly { readonly backend_id: string; readonly object_keys: readonly string[] }[];
  /** Resumable uploads that have expired. */
  readonly expire_uploads: number;
  /** Write sessions that nobody committed in time. */
  readonly expire_write_sessions: number;
  /** Segments of these uploads and sessions among them. */
  readonly reclaim_drafts: number;
}

export interface VerifyOptions {
  readonly actor?: string;
  /** Leaves out what was verified at this time (RFC 3339) or later. */
  readonly notVerifiedSince?: string;
  /** Starts at the beginning, whatever an earlier run left. */
  readonly restart?: boolean;
  /**
   * Records objects as missing although not one of the first 100 is there; without it such a run stops, and records
   * nothing.
   */
  readonly acceptMissing?: boolean;
  readonly bytesPerSecond?: number;
  /** Objects read at the same time; 2 where absent. */
  readonly jobs?: number;
  /** `live`: what the log says was there at the start, more than what is read when some of it is left out. */
  readonly onProgress?: (counts: VerificationCounts, live: { readonly objects: number; readonly bytes: number }) => void;
  readonly onFailure?: (failure: VerificationFailure) => void;
  readonly signal?: AbortSignal;
}

export interface VerificationFailure {
  readonly content_address: string;
  readonly object_key: string;
  readonly result: 'failed' | 'missing' | 'unreadable';
  readonly reason: string;
}

export interface VerificationCounts {
  readonly objects: number;
  readonly bytes: number;
  /** Read, and not what they should be. */
  readonly failed: number;
  /** Not in the backend. */
  readonly missing: number;
  /** The backend is well and does not give them now: nothing is said, and nothing recorded. */
  readonly unreadable: number;
  /** Had failed before and are good now. */
  readonly cleared: number;
}

export interface Verification extends VerificationCounts {
  readonly backend_id: string;
  /** Whether it resumed a stopped run; the counts are those of both. */
  readonly resumed: boolean;
  readonly started_at: string;
}

/** Which files are moved: all that are absent are any. Those of abandoned and collected packages never are. */
export interface MoveTarget {
  readonly from: string;
  readonly to: string;
  readonly producer?: string;
  readonly retentionClass?: string;
  readonly packageId?: string;
}

export interface MoveOptions extends MoveTarget {
  readonly actor?: string;
  /** Objects copied at the same time; 4 where absent. */
  readonly jobs?: number;
  readonly bytesPerSecond?: number;
  /** `total`: what there was to move at the start. */
  readonly onProgress?: (counts: MoveCounts, total: MoveTotals) => void;
  /** Told of an object that cannot be moved, and of what is wrong with it in which backend. */
  readonly onFailure?: (failure: MoveFailure) => void;
  readonly signal?: AbortSignal;
}

export interface MoveFailure {
  readonly backend_id: string;
  readonly object_key: string;
  readonly content_address: string;
  readonly reason: string;
}

export interface MoveCounts {
  readonly objects: number;
  readonly bytes: number;
  readonly locations: number;
  /** Those in `from` that nobody needs any more. */
  readonly deleted_objects: number;
  /** Not moved, since they are not what they should be. */
  readonly failed: number;
  /** Not moved, since they are not in the backend. */
  readonly missing: number;
  /** Not moved, since they could not be read now. */
  readonly unreadable: number;
}

export interface MoveTotals {
  readonly objects: number;
  readonly bytes: number;
  readonly locations: number;
}

export interface Move extends MoveCounts {
  readonly from: string;
  readonly to: string;
  /** What there is to move now: what failed, and what came meanwhile. */
  readonly left_objects: number;
  readonly left_bytes: number;
}

export interface MovePlan extends MoveTotals {
  readonly from: string;
  readonly to: string;
  /** Those whose bytes are not at the target. */
  readonly copy_objects: number;
  readonly copy_bytes: number;
  /** Those in `from` that nobody needs afterwards. */
  readonly delete_objects: number;
  readonly delete_bytes: number;
}

export interface UnusableBackend {
  readonly backend_id: string;
  readonly detail: string;
}

export interface AdoptOptions {
  readonly onProgress?: (objects: number) => void;
  readonly signal?: AbortSignal;
}

/** What lies in a backend, beside what the log says should lie there. */
export interface Adoption extends StoredBytes {
  readonly registry_id: string;
  /** Whether it has this registry's marker already. */
  readonly marked: boolean;
  /** Live objects of the log that lie there, by their key, or are held for it. */
  readonly found_objects: number;
  /** Objects under keys of ours that the log does not say are live: a collection deletes them. */
  readonly unknown_objects: number;
  /** Other files: they stay. */
  readonly foreign_objects: number;
}

export interface OrphansOptions {
  readonly actor?: string;
  readonly delete?: boolean;
  readonly signal?: AbortSignal;
}

export interface OrphanReport extends StoredBytes {
  readonly orphan_keys: readonly string[];
  readonly deleted_orphans: number;
}

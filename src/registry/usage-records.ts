import type { PackageStatus } from '../kernel/views/view.ts';

export interface Usage {
  /** An answer may be kept for ten times as long as the counting took. */
  readonly counted_at: string;
  readonly last_sequence: number;
  readonly packages: Readonly<Record<PackageStatus, UsageCounts>>;
  /** Of packages that are created or finalized, the largest first; at most 1,000. */
  readonly producers: readonly ProducerUsage[];
  readonly producers_left_out: number;
  /** Those that a collection would take now. */
  readonly reclaimable_packages: number;
  readonly backends: readonly BackendUsage[];
  /** Null: none that came to its end is known. */
  readonly last_sweep: Run | null;
  readonly last_collection: Run | null;
  readonly last_backup: Run | null;
}

export interface UsageCounts {
  readonly packages: number;
  readonly files: number;
  /** Logical ones: equal bytes count for each file. */
  readonly bytes: number;
}

/** What a producer has that is neither collected nor abandoned, and how much it may have; null: there is no bound. */
export interface ProducerRecord extends UsageCounts {
  readonly producer: string;
  readonly maximum_packages: number | null;
  readonly maximum_bytes: number | null;
}

export interface ProducerUsage extends UsageCounts {
  readonly producer: string;
  readonly retention_class: string;
}

export interface BackendUsage {
  readonly backend_id: string;
  /** What the log says lies there: equal bytes once. */
  readonly stored_objects: number;
  readonly stored_bytes: number;
  readonly failed_objects: number;
  /** What a collection would free now. */
  readonly reclaimable_objects: number;
  readonly reclaimable_bytes: number;
  /** Released already, and not deleted yet. */
  readonly dead_objects: number;
  /** Of resumable uploads that are not finished; expired ones too, until a collection has ended them. */
  readonly open_uploads: number;
  /** What came of them. */
  readonly open_upload_bytes: number;
  /** Write sessions that are neither committed nor ended. */
  readonly open_write_sessions: number;
  /** What they announced, whether it came or not. */
  readonly open_write_session_bytes: number;
  readonly free_bytes: number | null;
  readonly total_bytes: number | null;
  readonly last_verification: Run | null;
}

export interface Run {
  readonly started_at: string;
  readonly finished_at: string;
}

import type { JsonObject } from '../kernel/format/json.ts';
import type { PackageStatus } from '../kernel/views/view.ts';
import type { PageQuery } from './records.ts';

/** Sealed packages that nobody holds, by when they expire. */
export interface ExpiringQuery extends PageQuery {
  /** Those that expire at this time or before it (RFC 3339); all that ever expire where absent. */
  readonly until?: string;
}

export interface RetentionClassRecord {
  readonly slug: string;
  readonly default_duration_seconds: number | null;
}

/** Exactly one of the first two. */
export interface NewExtension {
  /** RFC 3339, or null for never. */
  readonly new_expires_at?: string | null;
  /** This much later than the present expiry, or than now if that has passed, by the clock of the registry. */
  readonly extend_by_seconds?: number;
  readonly reason: string;
}

/** Why a package is kept or will go, and when. */
export interface RetentionRecord {
  readonly package_id: string;
  readonly status: PackageStatus;
  readonly retention_class: string;
  /** Null for never. */
  readonly expires_at: string | null;
  /** When a sweep found it expired; the next collection takes it. */
  readonly eligible_at: string | null;
  readonly finalized_at: string | null;
  /** Released ones too; a package is held while one of them is not. */
  readonly holds: readonly Hold[];
  /** What was decided about it, oldest first. */
  readonly history: readonly RetentionEvent[];
  /** A record has up to 500 holds, unreleased ones first, and the last 500 events; the log has the others. */
  readonly holds_left_out: number;
  readonly history_left_out: number;
}

export interface Hold {
  readonly id: string;
  readonly reason: string;
  /** The actor who applied it. */
  readonly owner: string;
  readonly applied_at: string;
  readonly released_at: string | null;
  readonly released_by: string | null;
  readonly release_reason: string | null;
}

export interface RetentionEvent {
  readonly sequence: number;
  readonly created_at: string;
  readonly event_type: string;
  readonly actor: string;
  readonly detail: JsonObject;
}

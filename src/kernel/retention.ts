import { secondsAfter, type Timestamp } from './time.ts';

/** A retention class: how long a package lives after it was created, in seconds; null means for ever. */
export interface RetentionClass {
  readonly slug: string;
  readonly default_duration_seconds: number | null;
}

const day = 86_400;

export const builtInRetentionClasses: readonly RetentionClass[] = [
  { slug: 'transient', default_duration_seconds: day },
  { slug: 'raw-evidence', default_duration_seconds: 90 * day },
  { slug: 'summary-evidence', default_duration_seconds: 365 * day },
  { slug: 'release-evidence', default_duration_seconds: 2555 * day },
  { slug: 'permanent-record', default_duration_seconds: null },
];

/** The decision taken at creation, recorded in the package's event: when it expires, or null for never. */
export function decideExpiry(createdAt: Timestamp, durationSeconds: number | null): Timestamp | null {
  return durationSeconds === null ? null : secondsAfter(createdAt, durationSeconds);
}

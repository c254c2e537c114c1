import type { Usage } from '../api/records.ts';

/** Backends that hold bytes, and were never read from the first to the last. */
export function neverVerified(usage: Usage): readonly string[] {
  return usage.backends
    .filter(({ last_verification, stored_objects }) => last_verification === null && stored_objects > 0)
    .map(({ backend_id }) => backend_id);
}

/** Whether bytes are kept, and no backup that came to its end is known. */
export function hasNoBackup(usage: Usage): boolean {
  return usage.last_backup === null && usage.backends.some(({ stored_objects }) => stored_objects > 0);
}

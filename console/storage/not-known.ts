import type { Usage } from '../api/records.ts';

/** Stored bytes that were read more days ago are not called right before they are read again. */
export const verificationDays = 30;
/** Where the last backup ended more days ago, all is not called well before the next. */
export const backupDays = 7;

const day = 86_400_000;

/** What is asked of the usage. */
export interface Runs {
  readonly backends: readonly Pick<Usage['backends'][number], 'backend_id' | 'stored_objects' | 'last_verification'>[];
  readonly last_backup: Usage['last_backup'];
}

/** How many whole days ago it was; undefined where it never was. */
export interface Age {
  readonly days: number | undefined;
}

/** Backends that hold bytes, and were not read as a whole within `verificationDays`; `now` in milliseconds. */
export function dueVerifications({ backends }: Runs, now: number): readonly (Age & { readonly backend_id: string })[] {
  return backends
    .filter(({ stored_objects }) => stored_objects > 0)
    .map(({ backend_id, last_verification }) => ({ backend_id, days: daysSince(last_verification, now) }))
    .filter(({ days }) => days === undefined || days >= verificationDays);
}

/** How old the last backup is, where bytes are kept and none ended within `backupDays`; else undefined. */
export function dueBackup({ backends, last_backup }: Runs, now: number): Age | undefined {
  if (backends.every(({ stored_objects }) => stored_objects === 0)) return undefined;
  const days = daysSince(last_backup, now);
  return days === undefined || days >= backupDays ? { days } : undefined;
}

function daysSince(run: Usage['last_backup'], now: number): number | undefined {
  return run === null ? undefined : Math.floor((now - Date.parse(run.finished_at)) / day);
}

import { signal } from '@preact/signals';

/** Goes up when something was done here: what is shown of it is asked for again, and stays while it is. */
export const refreshed = signal(0);

export function refresh(): void {
  refreshed.value += 1;
}

/** Goes up when bytes of what is shown turned out to be damaged or missing: lists of files are read again. */
export const damageFound = signal(0);

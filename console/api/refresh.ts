import { signal } from '@preact/signals';

/** Goes up when something was done here: what is shown of it is asked for again, and stays while it is. */
export const refreshed = signal(0);

export function refresh(): void {
  refreshed.value += 1;
}

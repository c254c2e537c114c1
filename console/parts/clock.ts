import { signal } from '@preact/signals';

/** The time by which relative times are told, in milliseconds; it moves every half minute. */
export const now = signal(Date.now());

export function startClock(): void {
  setInterval(() => {
    now.value = Date.now();
  }, 30_000);
}

import { signal } from '@preact/signals';

/** What is on its way from this tab, for whatever page is shown. */
export interface RunningBatch {
  readonly packageId: string;
  readonly percent: number;
  readonly paused: boolean;
}

export const runningBatch = signal<RunningBatch | undefined>(undefined);

/** A browser asks before it closes a tab from which something is sent. */
export function warnOfLeaving(): void {
  addEventListener('beforeunload', (event) => {
    if (runningBatch.peek() !== undefined) event.preventDefault();
  });
}

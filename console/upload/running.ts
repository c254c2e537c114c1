import { signal } from '@preact/signals';

/** What is on its way from this tab, for whatever page is shown. */
export interface RunningBatch {
  readonly packageId: string;
  readonly percent: number;
  readonly paused: boolean;
}

export const runningBatch = signal<RunningBatch | undefined>(undefined);

let endAll = (): void => undefined;

/** How all that is on its way from this tab is ended. The code that sends says it when it is loaded. */
export function endBatchesBy(end: () => void): void {
  endAll = end;
}

/** Nothing of who signs out is continued by who signs in. What is stored stays. */
export function endBatches(): void {
  endAll();
}

/** A browser asks before it closes a tab from which something is sent. */
export function warnOfLeaving(): void {
  addEventListener('beforeunload', (event) => {
    if (runningBatch.peek() !== undefined) event.preventDefault();
  });
}

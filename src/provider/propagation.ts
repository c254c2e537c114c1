import { setTimeout as sleep } from 'node:timers/promises';
import { isArtifactstoreError } from '../kernel/error.ts';
import { throwIfStopped } from '../runtime/stop.ts';

/** How long a provider is given to make something known everywhere. */
export interface Patience {
  readonly everyMilliseconds: number;
  readonly mostMilliseconds: number;
  readonly now: () => number;
  readonly wait: (milliseconds: number) => Promise<unknown>;
  readonly signal?: AbortSignal | undefined;
}

export function patienceOf(mostMilliseconds: number, signal?: AbortSignal): Patience {
  return { everyMilliseconds: 2000, mostMilliseconds, now: () => performance.now(), wait: (time) => sleep(time), signal };
}

/**
 * Asks again while the answer is that nobody is known or allowed (401, 403), within the bound: providers spread what is
 * new slowly. Any other answer is one: a 404 does not become something else by waiting.
 */
export async function untilKnown<T>(patience: Patience, ask: () => Promise<T>, isRefusal: (answer: T) => boolean): Promise<T> {
  const until = patience.now() + patience.mostMilliseconds;
  for (;;) {
    throwIfStopped(patience.signal);
    const answer = await ask();
    if (!isRefusal(answer) || patience.now() + patience.everyMilliseconds > until) return answer;
    await patience.wait(patience.everyMilliseconds);
  }
}

/** As `untilKnown`, where refusals are thrown. */
export async function untilAllowed<T>(patience: Patience, ask: () => Promise<T>): Promise<T> {
  const settled = await untilKnown(
    patience,
    async () => {
      try {
        return { value: await ask() };
      } catch (error) {
        return { error };
      }
    },
    (answer) => 'error' in answer && mayChange(answer.error),
  );
  if ('error' in settled) throw settled.error;
  return settled.value;
}

/** What a provider said of the authority itself does not change by waiting; that it does not know it may. */
function mayChange(error: unknown): boolean {
  return isArtifactstoreError(error, 'provider_forbidden') || (isArtifactstoreError(error) && error.info?.fault === 'unknown');
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Patience } from '../../src/provider/propagation.ts';

/** New keys are waited for, this long and no longer. */
export function withoutPatience(mostMilliseconds = 0): Patience {
  return {
    everyMilliseconds: mostMilliseconds === 0 ? 1 : 20,
    mostMilliseconds,
    now: () => performance.now(),
    wait: (milliseconds) => sleep(milliseconds),
  };
}

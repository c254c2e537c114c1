import { certifyPrefix } from '../../storage/object-key.ts';
import { put } from '../steps.ts';
import type { Wire } from '../wire.ts';

/** What all runs write below; a registry in the same bucket leaves it alone. */
export const probesPrefix: string = `${certifyPrefix}store-probe/`;

/** The object of a run that shows that it is at work. */
export const aliveName = 'alive';

/** Says again and again that a run is at work, until it is stopped. */
export interface Pulse {
  /** Resolves when nothing will be written any more. */
  stop(): Promise<void>;
}

export function beginPulse(wire: Wire, prefix: string, beatMilliseconds: number): Pulse {
  let beating: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    // One that fails is made up for by the next; without any the run's objects may be removed beside it.
    beating = put({ wire }, `${prefix}${aliveName}`, new Date().toISOString()).catch(() => undefined);
  }, beatMilliseconds);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await beating;
    },
  };
}

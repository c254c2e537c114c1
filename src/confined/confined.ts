import { createFairTurns } from '../runtime/fair-turns.ts';
import { createLane, type LaneBounds, type LaneOutcome } from './lane.ts';

/** What came of an input. `waiting`: so many of this caller's, or of all, wait already that it was not begun. */
export type Outcome<Output> = LaneOutcome<Output> | { readonly kind: 'over'; readonly bound: 'waiting' };

/**
 * A module's function over other people's documents, in threads that can be killed: nothing that a document does to it
 * holds up this process, its signals, or for long anybody else's document.
 */
export interface Confined<Input, Output> {
  /** `caller` is who asks, `about` what it is about: what was slow for a caller once is expected to be slow again. */
  run(input: Input, caller: string, about: string): Promise<Outcome<Output>>;
  /** Kills what is under way, which answers `cancelled`. */
  close(): Promise<void>;
}

export interface ConfinedBounds extends LaneBounds {
  /** An input that takes longer is begun again in the lane of the slow ones, where it has all of `milliseconds`. */
  readonly quickMilliseconds: number;
  /** The same for one that takes more memory: the lane of the quick ones has less of it. */
  readonly quickHeapMebibytes: number;
  /** Slow inputs of all callers that wait or run, and of one. */
  readonly slow: number;
  readonly slowOfOne: number;
}

/** So long is remembered what was slow. */
const rememberMilliseconds = 600_000;
const remembered = 1000;
/** With so many slow things in memory, all that a caller sends is expected to be slow. */
const slowThingsOfOne = 8;

export function createConfined<Input, Output>(
  module: URL,
  { quickMilliseconds, quickHeapMebibytes, milliseconds, heapMebibytes, slow, slowOfOne }: ConfinedBounds,
  now: () => number,
): Confined<Input, Output> {
  const quickLane = createLane<Input, Output>(module, { milliseconds: quickMilliseconds, heapMebibytes: quickHeapMebibytes });
  const slowLane = createLane<Input, Output>(module, { milliseconds, heapMebibytes, givesWay: true });
  /** By what was slow: whose it is, and until when that counts. Oldest first. */
  const slowThings = new Map<string, { readonly caller: string; readonly until: number }>();
  const underWay = new Map<string, number>();
  const turns = createFairTurns({ what: 'documents', room: 1, waitingOfOne: 1_000, waitMilliseconds: 60_000 });

  const isSlow = (caller: string, thing: string): boolean => {
    const time = now();
    for (const [each, { until }] of slowThings) if (until <= time) slowThings.delete(each);
    if (slowThings.has(thing)) return true;
    return [...slowThings.values()].filter((each) => each.caller === caller).length >= slowThingsOfOne;
  };
  const remember = (caller: string, thing: string): void => {
    slowThings.set(thing, { caller, until: now() + rememberMilliseconds });
    if (slowThings.size > remembered) slowThings.delete(slowThings.keys().next().value!);
  };
  const runQuickly = async (input: Input, caller: string, thing: string): Promise<Outcome<Output> | undefined> => {
    if (isSlow(caller, thing)) return undefined;
    const outcome = await quickLane.run(input);
    if (outcome.kind === 'done') return outcome;
    remember(caller, thing);
    return undefined;
  };
  const runSlowly = async (input: Input, caller: string): Promise<Outcome<Output>> => {
    const own = underWay.get(caller) ?? 0;
    const all = [...underWay.values()].reduce((sum, each) => sum + each, 0);
    if (own >= slowOfOne || all >= slow) return { kind: 'over', bound: 'waiting' };
    underWay.set(caller, own + 1);
    try {
      return await slowLane.run(input);
    } finally {
      const left = underWay.get(caller)! - 1;
      if (left === 0) underWay.delete(caller);
      else underWay.set(caller, left);
    }
  };

  return {
    async run(input, caller, about) {
      const thing = JSON.stringify([caller, about]);
      const quick = await turns.take(caller, 1, () => runQuickly(input, caller, thing));
      return quick ?? (await runSlowly(input, caller));
    },
    async close() {
      await Promise.all([quickLane.close(), slowLane.close()]);
    },
  };
}

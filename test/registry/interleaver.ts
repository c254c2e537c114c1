import { setImmediate as turn } from 'node:timers/promises';

/** Numbers that look random and are the same for the same seed: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Runs chains of asynchronous work in an order of its own choosing: each call through `gate` stops until it is chosen,
 * runs alone, and only when everything has come to a stop again is the next one chosen. What a chain does between its
 * gates must not wait for anything outside. The same seed gives the same order.
 */
export interface Interleaver {
  gate<T>(label: string, work: () => Promise<T>): Promise<T>;
  /** Starts a chain. */
  start(work: () => Promise<unknown>): void;
  /** Runs until nothing is left to choose. `afterEach` looks at the world after every step. */
  run(afterEach: (label: string) => Promise<void> | void): Promise<void>;
  readonly trace: readonly string[];
}

export function createInterleaver(random: () => number): Interleaver {
  const parked: { readonly label: string; readonly go: () => Promise<void>; readonly patience: number }[] = [];
  const trace: string[] = [];
  const chains: Promise<unknown>[] = [];
  return {
    trace,
    gate: (label, work) =>
      new Promise((resolve, reject) => {
        // Some calls are paused for long, as a process may be at any point.
        const patience = random() < 0.2 ? Math.floor(random() * 40) : 0;
        parked.push({ label, patience: trace.length + patience, go: () => work().then(resolve, reject) });
      }),
    start(work) {
      chains.push(work());
    },
    async run(afterEach) {
      for (;;) {
        await turn();
        await turn();
        if (parked.length === 0) break;
        const ready = parked.filter(({ patience }) => patience <= trace.length);
        const choices = ready.length === 0 ? parked : ready;
        const chosen = choices[Math.floor(random() * choices.length)]!;
        parked.splice(parked.indexOf(chosen), 1);
        trace.push(chosen.label);
        await chosen.go();
        await afterEach(chosen.label);
      }
      await Promise.all(chains);
    },
  };
}

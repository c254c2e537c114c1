import { seeded } from './interleaver.ts';

/** Whole numbers from 0 to below `end`, the same for the same seed. */
export type Random = (end: number) => number;

export function createRandom(seed: number): Random {
  const random = seeded(seed);
  return (end) => Math.floor(random() * end);
}

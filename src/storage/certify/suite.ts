import type { Family } from './certificate.ts';
import { listing } from './listing.ts';
import { objects } from './objects.ts';
import type { Probe } from './probe.ts';
import { ranges } from './ranges.ts';

/** Every probe, by family. */
export const suite: readonly Probe[] = Object.values({ objects, ranges, listing } satisfies {
  readonly [family in Family]?: readonly Probe[];
}).flat();

import type { Family } from './certificate.ts';
import { checksums } from './checksums.ts';
import { clock } from './clock.ts';
import { conditions } from './conditions.ts';
import { errors } from './errors.ts';
import { keys } from './keys.ts';
import { listing } from './listing.ts';
import { lock } from './lock.ts';
import { multipart } from './multipart.ts';
import { objects } from './objects.ts';
import { presigned } from './presigned.ts';
import type { Probe } from './probe.ts';
import { ranges } from './ranges.ts';
import { reach } from './reach.ts';

const byFamily: { readonly [F in Family]: readonly Probe[] } = {
  objects,
  ranges,
  listing,
  multipart,
  conditions,
  checksums,
  presigned,
  keys,
  errors,
  lock,
  reach,
  clock,
};

/** Every probe, by family. */
export const suite: readonly Probe[] = Object.values(byFamily).flat();

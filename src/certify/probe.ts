import { ArtifactstoreError } from '../kernel/error.ts';
import type { Connection } from '../storage/s3/settings.ts';
import type { Family, Finding } from './certificate.ts';
import type { Wire } from './wire.ts';

/** One question to a store. */
export interface Probe {
  /** `<family>.<name>`. */
  readonly id: string;
  readonly family: Family;
  /** What holds when it passes. */
  readonly title: string;
  /** What goes wrong where it does not hold. */
  readonly why: string;
  /** Throws what keeps it from being answered; that counts as failed. */
  run(context: ProbeContext): Promise<Finding>;
}

/** What a probe works with. Whatever it makes through `key` and `ownBucket` is removed afterwards. */
export interface ProbeContext {
  readonly wire: Wire;
  /** The bucket's owner's, where it is somebody else. */
  readonly ownerWire: Wire | undefined;
  readonly connection: Connection;
  /** A key of this probe's own. */
  key(name?: string): string;
  /** What all keys of this probe begin with. */
  readonly prefix: string;
  /** Bytes that nobody has seen before. */
  bytes(length?: number): Buffer;
  /** Makes a bucket of its own; undefined, with the store's reason, where that is not allowed. */
  ownBucket(options?: { readonly objectLock?: boolean }): Promise<{ readonly bucket: string } | { readonly refused: string }>;
  /** The smallest part that may come before another. */
  readonly partBytes: number;
  /** The store's time, in milliseconds since the epoch. */
  storeNow(): number;
  readonly patienceMilliseconds: number;
  readonly retentionMilliseconds: number;
  readonly continueMilliseconds: number;
  /** How long an object lies there before it is overwritten: what is cached for less does not show. */
  readonly ageMilliseconds: number;
  /** Below which everything of the registry lies, without a slash at either end; empty for the whole bucket. */
  readonly keyPrefix: string;
  /** A bucket that these keys must not reach. */
  readonly otherBucket: string | undefined;
  readonly signal: AbortSignal | undefined;
}

export const pass = (detail: string): Finding => ({ result: 'pass', detail });
export const fail = (detail: string): Finding => ({ result: 'fail', detail });
export const differs = (detail: string): Finding => ({ result: 'differs', detail });
export const skipped = (detail: string): Finding => ({ result: 'skipped', detail });

/** Ends a probe as failed, unless. */
export function demand(condition: boolean, detail: string): asserts condition {
  if (!condition) throw new ArtifactstoreError('integrity_failure', detail);
}

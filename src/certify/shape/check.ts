import type { Keys } from '../../credentials/CREDENTIALS.ts';
import type { Finding } from '../certificate.ts';
import type { Wire } from '../wire.ts';

/** One thing that a platform needs of its store. */
export interface Check {
  /** `<shape>.<name>`. */
  readonly id: string;
  /** What holds when it passes. */
  readonly title: string;
  /** What the platform can't do where it does not hold. */
  readonly consequence: string;
  /** What avoids that: a setting, or another store. */
  readonly remedy: string;
  /** Throws what keeps it from being answered. */
  run(ground: Ground): Promise<CheckFinding>;
}

/** What was found, with a consequence and a remedy of its own where those of the check are not meant. */
export interface CheckFinding extends Finding {
  readonly consequence?: string;
  readonly remedy?: string;
}

/** What a check works with. Whatever it makes under a name that `key` gave is removed afterwards. */
export interface Ground {
  readonly wire: Wire;
  readonly region: string;
  /** What all keys of this check begin with. */
  readonly prefix: string;
  /** A key of this check's own. */
  key(name: string): string;
  /** Bytes that nobody has seen before. */
  bytes(length: number): Buffer;
  /** Signs for another region; for the caller to close. */
  openAs(region: string): Wire;
  keys(): Promise<Keys>;
}

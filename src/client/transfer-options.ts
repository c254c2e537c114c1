import { isArtifactstoreError } from '../kernel/error.ts';
import { cancelled } from '../runtime/stop.ts';

/** What a push, a pull and a verification have in common. Sizes are in bytes. */
export interface TransferOptions {
  /** How many files or requests are under way at once; 8 where absent. */
  readonly jobs?: number;
  /** Ends the work: with `cancelled`, whose cause is the signal's reason, or with a reason that is an error of ours. */
  readonly signal?: AbortSignal;
  /** What a message calls the options; as the library calls them where absent. */
  readonly names?: OptionNames;
  /** Told once how many bytes there are to do. */
  onTotal?(bytes: number): void;
  /** Told of bytes as they are done; of less than none when some have to be done again. */
  onDone?(bytes: number): void;
}

/** How many are under way at once, where nobody says it. */
export const usualJobs = 8;

/** What a work that threw is to end with: once it was to be stopped, that is why it threw. */
export function endOf(signal: AbortSignal, thrown: unknown): unknown {
  if (!signal.aborted) return thrown;
  return isArtifactstoreError(signal.reason) ? signal.reason : cancelled(signal);
}

/** A signal that never comes. */
export function noSignal(): AbortSignal {
  return new AbortController().signal;
}

/** What a caller's users call the options of a push, a pull or a verification: messages name them so. */
export interface OptionNames {
  readonly directory: string;
  readonly force: string;
  readonly manifest: string;
  readonly noManifest: string;
  readonly digest: string;
  readonly idempotencyKey: string;
}

/** As the library itself calls them. */
export const libraryNames: OptionNames = {
  directory: 'directory',
  force: '`force`',
  manifest: '`manifest`',
  noManifest: '`manifest: false`',
  digest: '`digest`',
  idempotencyKey: '`idempotencyKey`',
};

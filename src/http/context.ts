import type { Logger } from 'pino';
import type { FairTurns } from '../runtime/fair-turns.ts';
import type { Limits } from './limits.ts';
import type { Memory } from './memory.ts';
import type { HttpMetrics } from './metrics.ts';
import type { Shares } from './shares.ts';

/** What all requests of a server have together, whichever door they come to. */
export interface EngineContext {
  readonly limits: Limits;
  readonly memory: Memory;
  readonly shares: Shares;
  /** Counts, and now and then logs, that a limit was met; a name that is none of a limit is ignored. */
  limited(limit: string): void;
  readonly log: Logger;
  /** Whether probes that were answered well are in the log. */
  readonly logProbes: boolean;
  readonly metrics: HttpMetrics;
  /** For making pages of many. */
  readonly listTurns: FairTurns;
  /** For reading long JSON bodies. */
  readonly jsonTurns: FairTurns;
  /** Aborted when the server begins to stop. */
  readonly closing: AbortSignal;
}

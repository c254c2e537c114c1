import { setTimeout as sleep } from 'node:timers/promises';
import { ArtifactstoreError, type ErrorCode, isArtifactstoreError } from '../../kernel/error.ts';

export interface RetryOptions {
  /**
   * How long a request is tried again while a server that answered before does not: long enough for its restart. A
   * server that never answered is given a second.
   */
  readonly patienceSeconds?: number;
  /** Told before each wait. */
  readonly onRetry?: (error: ArtifactstoreError, waitSeconds: number) => void;
}

export interface Retry {
  run<T>(attempt: () => Promise<T>, request: { readonly repeatable: boolean; readonly signal?: AbortSignal | undefined }): Promise<T>;
  /** The server answered. */
  heard(): void;
}

/** Tries again with growing, jittered waits, or as long as the server's Retry-After says. */
export function createRetry({ patienceSeconds = 60, onRetry }: RetryOptions): Retry {
  let everHeard = false;
  return {
    heard() {
      everHeard = true;
    },
    async run(attempt, { repeatable, signal }) {
      const start = performance.now();
      for (let tries = 0; ; tries += 1)
        try {
          return await attempt();
        } catch (error) {
          if (!isRetryable(error, repeatable)) throw error;
          const wait = Math.max(retryAfter(error), Math.min(longestSeconds, firstSeconds * 2 ** tries) * (0.5 + Math.random() / 2));
          // Who gives tokens is no address that somebody may have mistyped.
          const isHeard = everHeard || error.code === 'identity_unavailable';
          const patience = isHeard ? patienceSeconds : Math.min(1, patienceSeconds);
          if ((performance.now() - start) / 1000 + wait > patience) throw error;
          onRetry?.(error, wait);
          await pause(wait, signal);
        }
    },
  };
}

const firstSeconds = 0.1;
const longestSeconds = 5;
const transient: ReadonlySet<ErrorCode> = new Set([
  'server_unreachable',
  'database_unavailable',
  'storage_unavailable',
  'identity_unavailable',
  'request_timeout',
  'too_busy',
]);

/** A request that never left can go again whatever it does; none helps against a wrong address or certificate. */
function isRetryable(error: unknown, repeatable: boolean): error is ArtifactstoreError {
  if (!isArtifactstoreError(error) || !transient.has(error.code)) return false;
  return error.info?.lasting !== true && (repeatable || error.info?.sent === false);
}

function retryAfter(error: ArtifactstoreError): number {
  const seconds = error.info?.retry_after_seconds;
  return typeof seconds === 'number' ? seconds : 0;
}

async function pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(seconds * 1000, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new ArtifactstoreError('cancelled', 'The request was stopped.', { cause });
  }
}

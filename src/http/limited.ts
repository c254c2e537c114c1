import type { Logger } from 'pino';
import type { Bound } from '../kernel/bound.ts';
import { ArtifactstoreError } from '../kernel/error.ts';

/** So long one limit has at most one line in the log. */
const quietMilliseconds = 10_000;

/** Counts each time that a limit is met, and says it in the log, at most once in ten seconds for each limit. */
export function createLimited(bounds: ReadonlyMap<string, Bound>, count: (limit: string) => void, log: Logger): (limit: string) => void {
  const said = new Map<string, { at: number; times: number }>();
  return (limit) => {
    const bound = bounds.get(limit);
    if (bound === undefined) return;
    count(limit);
    const now = performance.now();
    const last = said.get(limit) ?? { at: Number.NEGATIVE_INFINITY, times: 0 };
    said.set(limit, last);
    last.times += 1;
    if (now - last.at < quietMilliseconds) return;
    const { value, what, variable } = bound;
    log.warn(
      { limit, times: last.times, ...(variable === undefined ? {} : { variable }) },
      `a limit was met: ${what} (${limit}, ${value} by default)`,
    );
    last.at = now;
    last.times = 0;
  };
}

/** The limit that an error is about. */
export function limitOf(error: unknown): string | undefined {
  const bound = error instanceof ArtifactstoreError ? error.info?.bound : undefined;
  return typeof bound === 'string' ? bound : undefined;
}

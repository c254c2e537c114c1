import { hash } from 'node:crypto';

/** More are not kept in mind, of one issuer. */
const maximumUsed = 100_000;

/**
 * Which tokens of one issuer were used, by `jti`, in the memory of this process. It forgets one only when it has ended.
 */
export interface UsedTokens {
  /** When it began to keep them; milliseconds since the epoch. */
  readonly since: number;
  /** Counts a use: `first`, or `again`; `full` when it could not be kept, so that it must not count as one. */
  take(id: string, until: number, now: number): 'first' | 'again' | 'full';
}

export function createUsedTokens(since: number, room: number = maximumUsed): UsedTokens {
  /** When each ends, by a digest of its `jti`, which may be long. */
  const used = new Map<string, number>();
  let firstEnd = Number.POSITIVE_INFINITY;

  function forgetEnded(now: number): void {
    firstEnd = Number.POSITIVE_INFINITY;
    for (const [key, until] of used) {
      if (until <= now) used.delete(key);
      else firstEnd = Math.min(firstEnd, until);
    }
  }

  return {
    since,
    take(id, until, now) {
      const key = hash('sha256', id, 'base64');
      if (used.has(key)) return 'again';
      // Looking for those that ended takes a while, so it is done when there are some.
      if (used.size >= room && firstEnd <= now) forgetEnded(now);
      if (used.size >= room) return 'full';
      used.set(key, until);
      firstEnd = Math.min(firstEnd, until);
      return 'first';
    },
  };
}

import { createHash, randomBytes } from 'node:crypto';
import type { Identified } from '../../identity/IDENTITY.ts';
import { ArtifactstoreError } from '../../kernel/error.ts';

/** People who are signed in by their browsers: in the memory of this process, so that its end signs all of them out. */
export interface Sessions {
  /**
   * Begins one, which never lives longer than the token. Of one person the oldest goes that is beyond what one may
   * have. Errors: `unauthorized`, where the token has ended by now; `too_busy`, where too many are signed in.
   */
  begin(token: string, identified: Identified): BegunSession;
  /** By what the cookie holds; undefined where it has ended, or never was. */
  find(secret: string): Session | undefined;
  end(secret: string): void;
}

export interface BegunSession {
  /** What the browser's cookie has to hold. */
  readonly secret: string;
  /** At least one: a cookie of none is deleted. */
  readonly seconds: number;
}

export interface Session {
  /** Of the issuer, for each request to be identified by. */
  readonly token: string;
  /** What the page has to say with each change: a page of somebody else cannot know it. */
  readonly csrfToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Of two sessions the later one has the higher. */
  readonly order: number;
}

export interface SessionBounds {
  readonly all: number;
  readonly ofOne: number;
}

interface Kept extends Session {
  readonly share: string;
}

/** A token that has no end counts as long as a working day. */
const longestMilliseconds = 43_200_000;

/** `now` in milliseconds since the epoch. */
export function createSessions({ all, ofOne }: SessionBounds, now: () => number): Sessions {
  /** By the digest of what the cookie holds, the oldest first: who reads this memory cannot send one of them. */
  const kept = new Map<string, Kept>();
  let begun = 0;

  function forgetEnded(at: number): void {
    for (const [key, { expiresAt }] of kept) if (expiresAt <= at) kept.delete(key);
  }

  return {
    begin(token, { principal, expiresAt: tokenEndsAt }) {
      // One look at the clock: a session that had begun and ended at once would be neither there nor refused.
      const at = now();
      const expiresAt = Math.min(tokenEndsAt ?? Number.POSITIVE_INFINITY, at + longestMilliseconds);
      if (expiresAt <= at) throw new ArtifactstoreError('unauthorized', 'The token of the issuer ended while somebody signed in by it.');
      forgetEnded(at);
      const own = [...kept].filter(([, each]) => each.share === principal.share);
      for (const [key] of own.slice(0, Math.max(0, own.length - ofOne + 1))) kept.delete(key);
      if (kept.size >= all)
        throw new ArtifactstoreError('too_busy', `${all} people are signed in, which is as many as can be; try again later.`, {
          info: { bound: 'console_sessions', limit: all },
        });
      const secret = newSecret();
      kept.set(keyOf(secret), {
        token,
        csrfToken: newSecret(),
        expiresAt,
        order: begun++,
        share: principal.share,
      });
      return { secret, seconds: Math.ceil((expiresAt - at) / 1000) };
    },
    find(secret) {
      const found = kept.get(keyOf(secret));
      if (found === undefined || found.expiresAt > now()) return found;
      kept.delete(keyOf(secret));
      return undefined;
    },
    end: (secret) => void kept.delete(keyOf(secret)),
  };
}

function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

function keyOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

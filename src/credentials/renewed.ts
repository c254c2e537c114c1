import { setTimeout as sleep } from 'node:timers/promises';
import type { Credentials, Keys } from './CREDENTIALS.ts';

/** Keys that end, and how long they were given for. */
export interface Session {
  readonly keys: Keys & { readonly expiresAtMilliseconds: number };
  readonly lifetimeMilliseconds: number;
}

export interface RenewalOptions {
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/**
 * Keys from `acquire`, which is called when they are first asked for and then ahead of their end, once at a time and at
 * most once a second. Ahead means with a fifth of their life left, or a minute where that is more, but never more than
 * half: the renewal continues behind, and the old keys are given meanwhile. When it fails it is tried again after one
 * second, two, four, up to a minute. In the last ten seconds the renewal is waited for. Its failure is an answer only
 * when there are no keys that can be used.
 *
 * Keys that were refused are given up, unless they are only just acquired: then it is not their age that was refused,
 * but what was done with them, and others would fare no better. So a policy that denies something costs an exchange now
 * and then, not one for each request.
 */
export function renewedCredentials(acquire: () => Promise<Session>, options: RenewalOptions = {}): Credentials {
  const { now = Date.now, wait = sleep } = options;
  let current: (Session & { readonly acquiredAt: number }) | undefined;
  let renewal: Promise<Keys> | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let failure: unknown;

  /** How long ago the last answer came; a clock that was set back says nothing. */
  function sinceLast(): number {
    const since = now() - askedAt;
    return since < 0 ? Number.POSITIVE_INFINITY : since;
  }

  function renew(): Promise<Keys> {
    renewal ??= acquireAtPace().finally(() => {
      renewal = undefined;
    });
    return renewal;
  }

  async function acquireAtPace(): Promise<Keys> {
    const early = paceMilliseconds - sinceLast();
    if (early > 0 && failures > 0) throw failure;
    if (early > 0) await wait(early);
    try {
      const session = await acquire();
      current = { ...session, acquiredAt: now() };
      failures = 0;
      failure = undefined;
      return session.keys;
    } catch (error) {
      failures += 1;
      failure = error;
      throw error;
    } finally {
      askedAt = now();
    }
  }

  return {
    async keys() {
      const session = current;
      if (session === undefined) return renew();
      const left = session.keys.expiresAtMilliseconds - now();
      if (left > Math.min(lastMilliseconds, session.lifetimeMilliseconds / 10)) {
        if (left <= aheadMilliseconds(session.lifetimeMilliseconds) && sinceLast() >= backOffMilliseconds(failures))
          renew().catch(() => undefined);
        return session.keys;
      }
      try {
        return await renew();
      } catch (error) {
        if (current === session && session.keys.expiresAtMilliseconds > now()) return session.keys;
        throw error;
      }
    },
    refused(keys) {
      if (current === undefined || keys !== current.keys) return;
      const age = now() - current.acquiredAt;
      if (age < 0 || age >= Math.min(freshMilliseconds, current.lifetimeMilliseconds / 10)) current = undefined;
    },
  };
}

const paceMilliseconds = 1000;
const lastMilliseconds = 10_000;
const freshMilliseconds = 30_000;

function aheadMilliseconds(lifetime: number): number {
  return Math.min(Math.max(60_000, lifetime / 5), lifetime / 2);
}

function backOffMilliseconds(failures: number): number {
  return failures === 0 ? 0 : Math.min(paceMilliseconds * 2 ** (failures - 1), 60_000);
}

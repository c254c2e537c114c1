import { withInfo } from '../../kernel/error.ts';
import { numericDate, unverifiedClaims } from '../../protocol/jwt-claims.ts';
import { unlessStopped } from '../../runtime/stop.ts';
import type { Bearer, BearerSource } from './BEARER.ts';

/** A token in hand. Times are in milliseconds since the epoch, by the clock of this machine. */
interface Held {
  readonly token: string;
  /** Undefined for a token that does not say when it ends. */
  readonly endsAt: number | undefined;
  /** From when on another one is asked for. */
  readonly aheadAt: number;
}

/**
 * The tokens of a source, taken once for all who ask at the same time: when the first is needed, when one was refused,
 * and ahead of the end that a token claims for itself (`exp`, unverified), with a fifth of its life left or a minute
 * where that is less, at most once a second. Where none can be had ahead of the end, the old one is used until then.
 */
export function renewedBearer(source: BearerSource, now: () => number = Date.now): Bearer {
  let held: Held | undefined;
  let refusedToken: string | undefined;
  let taking: Promise<Held> | undefined;
  let tookAt = Number.NEGATIVE_INFINITY;

  function take(): Promise<Held> {
    taking ??= source
      .take()
      .then((token) => {
        held = describe(token, now(), source.isFresh === true);
        return held;
      })
      .finally(() => {
        tookAt = now();
        taking = undefined;
      });
    return taking;
  }

  /** A clock that was set back says nothing. */
  function isTime({ aheadAt }: Held): boolean {
    const since = now() - tookAt;
    return now() >= aheadAt && (since >= paceMilliseconds || since < 0);
  }

  return {
    async token(signal) {
      const current = held;
      if (current === undefined || current.token === refusedToken) return (await unlessStopped(take(), signal)).token;
      if (!isTime(current)) return current.token;
      try {
        return (await unlessStopped(take(), signal)).token;
      } catch (error) {
        if (signal?.aborted !== true && current.endsAt !== undefined && now() < current.endsAt) return current.token;
        throw error;
      }
    },
    async another(refused, signal) {
      // Somebody else who was refused has taken it already.
      if (held !== undefined && held.token !== refused) return held.token;
      refusedToken = refused;
      const { token } = await unlessStopped(take(), signal);
      return token === refused ? undefined : token;
    },
    explained(refusal, refused) {
      const hint = refusal.info?.hint === undefined ? source.hint?.(refused) : undefined;
      return hint === undefined ? refusal : withInfo(refusal, { hint });
    },
  };
}

const paceMilliseconds = 1000;
const mostAheadMilliseconds = 60_000;

function describe(token: string, takenAt: number, isFresh: boolean): Held {
  const { exp, iat } = unverifiedClaims(token) ?? {};
  const [end, begin] = [numericDate(exp), numericDate(iat)];
  if (end === undefined) return { token, endsAt: undefined, aheadAt: Number.POSITIVE_INFINITY };
  const endsAt = isFresh && begin !== undefined ? takenAt + end - begin : end;
  const life = endsAt - (isFresh ? takenAt : (begin ?? takenAt));
  return { token, endsAt, aheadAt: endsAt - Math.min(mostAheadMilliseconds, Math.max(0, life / 5)) };
}

/** When a refused token says that it ended, as text; undefined where it has not, or says nothing of it. */
export function endedAt(token: string, now: number = Date.now()): string | undefined {
  const end = numericDate(unverifiedClaims(token)?.exp);
  return end !== undefined && end <= now ? new Date(end).toISOString() : undefined;
}

/** Whose a token says that it is, for a message beside a refusal: nothing of it is verified, and nothing secret. */
export function claimedBy(token: string): string {
  const { iss, aud } = unverifiedClaims(token) ?? {};
  return `issuer ${shown(iss)}, audience ${shown(aud)}`;
}

function shown(claim: unknown): string {
  return claim === undefined ? 'none' : JSON.stringify(claim).slice(0, 200);
}

import type { IncomingMessage } from 'node:http';
import type { SignIn } from '../../identity/IDENTITY.ts';
import type { BrowserSessions } from '../rest/browser-sessions.ts';
import { cookiesOf } from './cookies.ts';
import type { Session, Sessions } from './sessions.ts';

/** What the cookies of a request are worth. */
export interface CookieSession {
  /** The one that began last; undefined where all have ended. */
  readonly session: Session | undefined;
  /** All that were sent: mostly one, and two after sign-ins at once. */
  readonly sent: readonly SentCookie[];
}

export interface SentCookie {
  /** What it holds. */
  readonly secret: string;
  /** Of the console that it is for. */
  readonly url: string;
  readonly session: Session | undefined;
}

/** The session whose cookie a request brings; undefined where it brings none of this server. */
export function cookieSession(request: IncomingMessage, signIn: SignIn | undefined, sessions: Sessions): CookieSession | undefined {
  // Nothing is done for most requests, which are of programs.
  if (signIn === undefined || request.headers.cookie === undefined || isOfAnotherSite(request)) return undefined;
  const urls = new Set(signIn.choices().map(({ url }) => url));
  const sent = [...urls].flatMap((url) =>
    cookiesOf(request.headers, url, 'session').map((secret) => ({ secret, url, session: sessions.find(secret) })),
  );
  if (sent.length === 0) return undefined;
  const live = sent.flatMap(({ session }) => (session === undefined ? [] : [session]));
  return { session: live.sort((one, other) => other.order - one.order)[0], sent };
}

export function browserSessions(signIn: SignIn | undefined, sessions: Sessions): BrowserSessions {
  return {
    of(request) {
      const found = cookieSession(request, signIn, sessions);
      return found && (found.session ?? 'ended');
    },
  };
}

/**
 * As the browser says it (Fetch Metadata): `SameSite` alone would let a neighbour below the same domain ask. What a
 * person types, or has in the bookmarks, is `none`; browsers that say nothing are not kept out.
 */
function isOfAnotherSite({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

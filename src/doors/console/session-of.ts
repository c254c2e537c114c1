import type { IncomingMessage } from 'node:http';
import type { SignIn } from '../../identity/IDENTITY.ts';
import type { BrowserSessions } from '../rest/browser-sessions.ts';
import { cookieName, cookieOf } from './cookies.ts';
import type { Session, Sessions } from './sessions.ts';

export interface CookieSession {
  /** What the cookie holds. */
  readonly secret: string;
  /** Of the console that it is for. */
  readonly url: string;
  /** Undefined where it has ended. */
  readonly session: Session | undefined;
}

/** The session whose cookie a request brings; undefined where it brings none of this server. */
export function cookieSession(request: IncomingMessage, signIn: SignIn | undefined, sessions: Sessions): CookieSession | undefined {
  // Nothing is done for most requests, which are of programs.
  if (signIn === undefined || request.headers.cookie === undefined || isOfAnotherSite(request)) return undefined;
  const urls = new Set(signIn.choices().map(({ url }) => url));
  const found = [...urls].flatMap((url) => {
    const secret = cookieOf(request.headers, cookieName(url, 'session'));
    return secret === undefined ? [] : [{ secret, url, session: sessions.find(secret) }];
  });
  return found.find(({ session }) => session !== undefined) ?? found[0];
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

import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { SignInMemory } from '../../identity/IDENTITY.ts';

// Cookies (RFC 6265bis). `__Host-`: a browser takes them from this host alone, over TLS or from this machine, so that
// no neighbour below the same domain can put one in their place.

export type CookieKind = 'session' | 'sign-in';

/**
 * Of one console: several registries behind one host have different paths, and all have the cookies of the host. And of
 * one value: an answer that comes late then deletes the cookie that it was about, and never the one that came since.
 */
export function cookieName(url: string, kind: CookieKind, value: string): string {
  return `${cookiePrefix(url, kind)}${shortDigest(value)}`;
}

function cookiePrefix(url: string, kind: CookieKind): string {
  return `__Host-artifactstore-${kind}-${shortDigest(new URL(url).pathname)}-`;
}

function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/**
 * `Strict`: the session goes with requests of our own pages alone. The memory of a sign-in has to come back from the
 * issuer's page, so it is `Lax`, and lives for minutes.
 */
const sameSite: Readonly<Record<CookieKind, string>> = { session: 'Strict', 'sign-in': 'Lax' };

export function setCookie(url: string, kind: CookieKind, value: string, seconds: number): string {
  return `${cookieName(url, kind, value)}=${value}; ${attributes(kind, seconds)}`;
}

/** Deletes the one with this value. */
export function clearCookie(url: string, kind: CookieKind, value: string): string {
  return `${cookieName(url, kind, value)}=; ${attributes(kind, 0)}`;
}

function attributes(kind: CookieKind, seconds: number): string {
  return `Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=${sameSite[kind]}`;
}

/** The values that a browser sent of a kind; of two with one name nobody knows which is ours, and neither counts. */
export function cookiesOf({ cookie = '' }: IncomingHttpHeaders, url: string, kind: CookieKind): readonly string[] {
  const prefix = cookiePrefix(url, kind);
  const pairs = cookie.split(';').flatMap((pair) => {
    const at = pair.indexOf('=');
    const name = pair.slice(0, Math.max(at, 0)).trim();
    return name.startsWith(prefix) ? [[name, pair.slice(at + 1).trim()] as const] : [];
  });
  return pairs
    .filter(([name, value]) => pairs.filter(([other]) => other === name).length === 1 && name === cookieName(url, kind, value))
    .map(([, value]) => value);
}

/** What a browser keeps while its person is at the issuer. */
export interface BegunHere extends SignInMemory {
  /** Where in the console it began. */
  readonly to: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export function writeBegun(begun: BegunHere): string {
  return Buffer.from(JSON.stringify(begun)).toString('base64url');
}

/** Undefined for what this server did not write, or too long ago. */
export function readBegun(value: string | undefined, now: number, longestMilliseconds: number): BegunHere | undefined {
  if (value === undefined) return undefined;
  try {
    const read: Partial<Record<keyof BegunHere, unknown>> = JSON.parse(Buffer.from(value, 'base64url').toString());
    const { issuer, state, nonce, verifier, to, at } = read;
    if (![issuer, state, nonce, verifier, to].every((text) => typeof text === 'string')) return undefined;
    if (typeof at !== 'number' || at > now || now - at > longestMilliseconds) return undefined;
    return read as BegunHere;
  } catch {
    return undefined;
  }
}

import { base, navigate, place } from '../router.ts';
import { csrfToken, type SignInChoice, signInChoices } from '../session.ts';
import { problemOf, unreachable } from './problem.ts';

interface Told {
  readonly choices: readonly SignInChoice[];
  readonly csrf_token: string | null;
}

const at = (route: string): URL => new URL(`sign-in/${route}`, base);

/** Asks by whom one can sign in, and whether this browser is; the cookie of a session that has ended goes. */
export async function readBrowserSession(): Promise<void> {
  const response = await fetch(at('session'), { credentials: 'same-origin', cache: 'no-store' }).catch(() => undefined);
  if (response?.ok !== true) return;
  const { choices, csrf_token } = (await response.json()) as Told;
  signInChoices.value = choices;
  csrfToken.value = csrf_token ?? undefined;
}

/** Leaves for the issuer, which leads back to where one is. */
export function leaveForIssuer(issuer: string): void {
  const { path, query } = place.value;
  const to = query.size === 0 ? path : `${path}?${query}`;
  const address = at('start');
  address.search = new URLSearchParams({ issuer, ...(to === '' ? {} : { to }) }).toString();
  location.assign(address);
}

/** Errors: a `Problem`; the browser may then be signed in still. */
export async function endBrowserSession(): Promise<void> {
  const { value } = csrfToken;
  if (value === undefined) return;
  const response = await fetch(at('out'), {
    method: 'POST',
    credentials: 'same-origin',
    headers: { 'artifactstore-csrf': value },
  }).catch(() => {
    throw unreachable();
  });
  if (!response.ok) throw await problemOf(response);
  csrfToken.value = undefined;
}

/** Why signing in did not work, where that is what this page was opened for; it then shows the place where it began. */
export function takeFailure(): string | undefined {
  const { path, query } = place.value;
  if (path !== 'sign-in/failed') return undefined;
  const to = new URL(query.get('to') ?? '', base);
  navigate(to.href.startsWith(base.href) ? to.href : base.href, { replace: true });
  return query.get('reason') ?? '';
}

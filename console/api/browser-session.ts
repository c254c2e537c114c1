import { apiBase, base, navigate, place } from '../router.ts';
import { csrfToken, type SignInChoice, session, signedIn, signedInAsOther, signedOutElsewhere, signInChoices, token } from '../session.ts';
import { runningBatch } from '../upload/running.ts';
import { problemOf, unreachable } from './problem.ts';
import type { WhoAmI } from './records.ts';

interface Told {
  readonly choices: readonly SignInChoice[];
  readonly csrf_token: string | null;
}

const at = (route: string): URL => new URL(`sign-in/${route}`, base);

/** Goes up with each look and each sign-out: an answer to an earlier one may come after that to a later one. */
let looks = 0;

/** Asks by whom one can sign in, and whether this browser is; the cookie of a session that has ended goes. */
export async function readBrowserSession(): Promise<void> {
  const told = await askForSession();
  if (told !== undefined) csrfToken.value = told.csrf_token ?? undefined;
}

/** Undefined where there is no answer, or one to an earlier question. */
async function askForSession(): Promise<Told | undefined> {
  looks += 1;
  const own = looks;
  const response = await fetch(at('session'), { credentials: 'same-origin', cache: 'no-store' }).catch(() => undefined);
  const told =
    response?.ok === true
      ? await response
          .json()
          .then((value: Told) => value)
          .catch(() => undefined)
      : undefined;
  if (told === undefined || own !== looks) return undefined;
  signInChoices.value = told.choices;
  return told;
}

/** Tabs of a browser have one cookie: each tells the others when a session of it may have begun or ended. */
const tabs =
  'BroadcastChannel' in globalThis && 'document' in globalThis ? new BroadcastChannel(`artifactstore ${base.pathname}`) : undefined;

export function tellOtherTabs(): void {
  tabs?.postMessage('session');
}

export function followOtherTabs(): void {
  tabs?.addEventListener('message', () => void lookAgain());
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && session.peek().asks === 'refused') void lookAgain();
  });
}

let looking: Promise<void> = Promise.resolve();
let next: Promise<void> | undefined;

/**
 * Looks whose the browser's cookie is now. Where it is of another session, of the person whom this page shows or of the
 * first one, the page then has it. Somebody else is asked about before anything is done in their name. A look that is
 * under way may have been answered before that of which this one is told: this one follows it.
 */
export function lookAgain(): Promise<void> {
  if (next === undefined) {
    next = looking.then(async () => {
      next = undefined;
      await look();
    });
    looking = next.catch(() => undefined);
  }
  return next;
}

async function look(): Promise<void> {
  if (token.value !== undefined) return;
  const told = await askForSession();
  if (told === undefined || token.value !== undefined) return;
  const now = told.csrf_token ?? undefined;
  if (now === csrfToken.value) return;
  if (now === undefined) {
    csrfToken.value = undefined;
    signedOutElsewhere();
    return;
  }
  // Until it is known whose it is, nothing is done by it.
  const response = await fetch(new URL('whoami', apiBase), { credentials: 'same-origin' }).catch(() => undefined);
  const who =
    response?.ok === true
      ? await response
          .json()
          .then((value: WhoAmI) => value)
          .catch(() => undefined)
      : undefined;
  // Somebody has signed in by a token meanwhile.
  if (who === undefined || token.value !== undefined) return;
  const { who: shown } = session.peek();
  if (shown?.by == null || shown.actor === who.actor) {
    csrfToken.value = now;
    signedIn(who);
  } else signedInAsOther({ who, csrfToken: now });
}

/** Leaves for the issuer, which leads back to where one is. What is on its way would end with this tab: it stays. */
export function leaveForIssuer(issuer: string): void {
  const { path, query } = place.value;
  const to = query.size === 0 ? path : `${path}?${query}`;
  const address = at('start');
  address.search = new URLSearchParams({ issuer, ...(to === '' ? {} : { to }) }).toString();
  if (runningBatch.peek() === undefined) location.assign(address);
  else open(address, '_blank', 'noopener');
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
  looks += 1;
  csrfToken.value = undefined;
  tellOtherTabs();
}

/** Why signing in did not work, where that is what this page was opened for; it then shows the place where it began. */
export function takeFailure(): string | undefined {
  const { path, query } = place.value;
  if (path !== 'sign-in/failed') return undefined;
  const to = new URL(query.get('to') ?? '', base);
  navigate(to.href.startsWith(base.href) ? to.href : base.href, { replace: true });
  return query.get('reason') ?? '';
}

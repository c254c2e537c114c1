import { computed, signal } from '@preact/signals';
import { allows, type Right, rightsOf } from '../src/kernel/access.ts';
import type { Problem } from './api/problem.ts';
import type { WhoAmI } from './api/records.ts';

const kept = 'artifactstore-token';

/** The bearer token: in this page's memory, and in the tab's session storage where a person has asked for that. */
export const token = signal<string | undefined>(readKept());

/** By whom people can sign in beside a token, as the server says it. */
export interface SignInChoice {
  readonly issuer: string;
  readonly label: string;
}

export const signInChoices = signal<readonly SignInChoice[]>([]);

/** A word of the server for why signing in by an issuer did not work. */
export const signInFailure = signal<string | undefined>(undefined);

/** Of who has signed in by an issuer: the browser has the cookie, and the page what a change needs beside it. */
export const csrfToken = signal<string | undefined>(undefined);

/** By what a call is made: the token, or what stands for the browser's cookie. */
export function credential(): string | undefined {
  return token.value ?? csrfToken.value;
}

/** Somebody else who has signed in by the browser's cookie, in another tab. */
export interface OtherPerson {
  readonly who: WhoAmI;
  readonly csrfToken: string;
}

export interface Session {
  /** Undefined until the server has said it. */
  readonly who: WhoAmI | undefined;
  /** Goes up with each other person: what was loaded for the one before is loaded again. */
  readonly epoch: number;
  /** Why somebody is asked to sign in; undefined where nobody is. */
  readonly asks: 'first' | 'refused' | 'chosen' | 'other' | undefined;
  readonly problem: Problem | undefined;
  /** They were asked, and continue what the person before has begun. */
  readonly tookOver?: boolean;
  /** With `asks: 'other'`. */
  readonly other?: OtherPerson;
}

export const session = signal<Session>({ who: undefined, epoch: 0, asks: undefined, problem: undefined });

export const isSignedIn = computed(() => session.value.who?.by != null);

/** Whether a button is shown: never one that the person may not press. The server decides anyway. */
export function may(right: Right, producer?: string): boolean {
  return allows({ grants: session.value.who?.grants ?? [] }, right, producer);
}

/** Whether the right holds for any producer at all. */
export function maySomewhere(right: Right): boolean {
  return (session.value.who?.grants ?? []).some(({ role, producers }) => rightsOf[role].includes(right) && producers.length > 0);
}

export function signedIn(as: WhoAmI, tookOver = false): void {
  const nothing = as.by === null && as.grants.length === 0;
  session.value = { who: as, epoch: session.value.epoch + 1, asks: nothing ? 'first' : undefined, problem: undefined, tookOver };
}

export function useToken(text: string | undefined, keep: boolean): void {
  token.value = text;
  if (text !== undefined && keep) sessionStorage.setItem(kept, text);
  else sessionStorage.removeItem(kept);
}

/**
 * A call was refused by what it was made with: somebody is asked to sign in, above the page, which stays as it is. A
 * refusal that was on its way while somebody has signed in, or in again, says nothing of them.
 */
export function credentialRefused(by: string | undefined, problem: Problem): void {
  if (by !== credential()) return;
  const wasSignedIn = credential() !== undefined;
  useToken(undefined, false);
  csrfToken.value = undefined;
  session.value = { ...session.value, asks: wasSignedIn ? 'refused' : 'first', problem: wasSignedIn ? problem : undefined };
}

/** The browser's cookie is somebody else's by now: nothing is done in their name before a person says so. */
export function signedInAsOther(other: OtherPerson): void {
  csrfToken.value = undefined;
  session.value = { ...session.value, asks: 'other', problem: undefined, other };
}

export function continueAsOther({ who, csrfToken: other }: OtherPerson): void {
  csrfToken.value = other;
  signedIn(who, true);
}

/** Somebody has signed out in another tab. */
export function signedOutElsewhere(): void {
  session.value = { ...session.value, asks: 'refused', problem: undefined };
}

export function askForToken(): void {
  session.value = { ...session.value, asks: 'chosen', problem: undefined };
}

export function stopAsking(): void {
  session.value = { ...session.value, asks: undefined, problem: undefined };
}

function readKept(): string | undefined {
  return globalThis.sessionStorage?.getItem(kept) ?? undefined;
}

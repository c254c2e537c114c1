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

export interface Session {
  /** Undefined until the server has said it. */
  readonly who: WhoAmI | undefined;
  /** Goes up with each other person: what was loaded for the one before is loaded again. */
  readonly epoch: number;
  /** Why a token is asked for; undefined where it is not. */
  readonly asks: 'first' | 'refused' | 'chosen' | undefined;
  readonly problem: Problem | undefined;
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

export function signedIn(as: WhoAmI): void {
  const nothing = as.by === null && as.grants.length === 0;
  session.value = { who: as, epoch: session.value.epoch + 1, asks: nothing ? 'first' : undefined, problem: undefined };
}

export function useToken(text: string | undefined, keep: boolean): void {
  token.value = text;
  if (text !== undefined && keep) sessionStorage.setItem(kept, text);
  else sessionStorage.removeItem(kept);
}

/** A call was refused with the token: it is asked for again, above the page, which stays as it is. */
export function tokenRefused(asked: string | undefined, problem: Problem): void {
  if (asked !== token.value) return;
  const wasSignedIn = asked !== undefined || csrfToken.value !== undefined;
  useToken(undefined, false);
  csrfToken.value = undefined;
  session.value = { ...session.value, asks: wasSignedIn ? 'refused' : 'first', problem: wasSignedIn ? problem : undefined };
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

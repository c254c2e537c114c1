import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { printable } from '../../src/kernel/format/printable.ts';
import { leaveForIssuer } from '../api/browser-session.ts';
import { apiUrl } from '../api/call.ts';
import { Problem, problemOf, unreachable } from '../api/problem.ts';
import type { WhoAmI } from '../api/records.ts';
import { asProblem } from '../api/resource.ts';
import { continueAsOther, type Session, session, signedIn, signInChoices, signInFailure, stopAsking, useToken } from '../session.ts';
import { strings } from '../strings.ts';
import { runningBatch } from '../upload/running.ts';

/** Asks the server whose a token is, before anything is shown by it. Errors: a `Problem`. */
export async function whoHas(token: string | undefined): Promise<WhoAmI> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(apiUrl('whoami'), { headers, credentials: token === undefined ? 'same-origin' : 'omit' }).catch(() => {
    throw unreachable();
  });
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as WhoAmI;
}

export async function signInWith(token: string | undefined, keep = false): Promise<void> {
  const who = await whoHas(token);
  useToken(token, keep);
  signedIn(who);
}

const tokenForm = /^[A-Za-z0-9._~+/-]+=*$/;

/** The question for a token: above the page, or in its place where there is nothing to see without one. */
export function SignIn({ why, alone }: { readonly why: NonNullable<Session['asks']>; readonly alone: boolean }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const problem = useSignal<string | undefined>(undefined);
  const checking = useSignal(false);
  useEffect(() => {
    if (dialog.current?.open !== true) {
      if (alone) dialog.current?.show();
      else dialog.current?.showModal();
    }
  }, [alone]);

  const submit = async (form: HTMLFormElement): Promise<void> => {
    const data = new FormData(form);
    const token = String(data.get('token') ?? '').trim();
    problem.value = token === '' ? strings.signIn.empty : tokenForm.test(token) ? undefined : strings.signIn.notAToken;
    if (problem.value !== undefined) return;
    checking.value = true;
    try {
      const who = await whoHas(token);
      if (who.grants.length === 0) problem.value = strings.signIn.nothingAllowed(who.actor);
      else {
        useToken(token, data.get('keep') !== null);
        signInFailure.value = undefined;
        signedIn(who);
        document.getElementById('content')?.focus();
      }
    } catch (error) {
      const { message } = error instanceof Problem ? error : asProblem(error);
      problem.value = message;
    } finally {
      checking.value = false;
    }
  };

  return (
    <dialog
      ref={dialog}
      class={alone ? 'sign-in sign-in-alone' : 'sign-in'}
      aria-labelledby="sign-in-title"
      onCancel={(event) => {
        if (why === 'chosen') stopAsking();
        else event.preventDefault();
      }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit(event.currentTarget);
        }}
      >
        {alone ? <h1 id="sign-in-title">{strings.signIn.title}</h1> : <h2 id="sign-in-title">{strings.signIn.title}</h2>}
        {why === 'other' ? <Other /> : <p>{strings.signIn[why]}</p>}
        {why === 'refused' && session.value.problem !== undefined ? <p class="quiet">{session.value.problem.message}</p> : null}
        <ByIssuer />
        <label class="field">
          <span>{strings.signIn.token}</span>
          <input
            type="password"
            name="token"
            autocomplete="off"
            spellcheck={false}
            aria-describedby="token-hint token-problem"
            aria-invalid={problem.value !== undefined}
            autofocus
          />
        </label>
        <p id="token-hint" class="quiet">
          {strings.signIn.tokenHint}
        </p>
        <label class="choice">
          <input type="checkbox" name="keep" aria-describedby="keep-hint" />
          <span>{strings.signIn.keep}</span>
        </label>
        <p id="keep-hint" class="quiet choice-hint">
          {strings.signIn.keepHint}
        </p>
        <p id="token-problem" class="problem" role="alert">
          {problem.value}
        </p>
        <div class="buttons">
          <button type="submit" class="button button-main" disabled={checking.value}>
            {checking.value ? strings.signIn.checking : strings.signIn.submit}
          </button>
          {why === 'chosen' ? (
            <button type="button" class="button" onClick={stopAsking}>
              {strings.signIn.cancel}
            </button>
          ) : null}
        </div>
      </form>
    </dialog>
  );
}

/** Who has signed in in another tab, for this one to continue by. */
function Other() {
  const { other } = session.value;
  if (other === undefined) return null;
  const actor = printable(other.who.actor);
  return (
    <>
      <p>{strings.signIn.other(actor)}</p>
      <div class="buttons">
        <button type="button" class="button button-main" onClick={() => continueAsOther(other)}>
          {strings.signIn.continueAs(actor)}
        </button>
      </div>
    </>
  );
}

/** The issuers of the access file, where there are any: whoever has no token needs none. */
function ByIssuer() {
  const { value: choices } = signInChoices;
  const { value: failure } = signInFailure;
  return (
    <>
      {failure === undefined ? null : (
        <p class="problem" role="alert">
          {Object.hasOwn(strings.signIn.failures, failure)
            ? strings.signIn.failures[failure as keyof typeof strings.signIn.failures]
            : strings.signIn.failures.refused}
        </p>
      )}
      {choices.length === 0 ? null : (
        <>
          <div class="buttons">
            {choices.map(({ issuer, label }) => (
              <button key={issuer} type="button" class="button button-main" onClick={() => leaveForIssuer(issuer)}>
                {strings.signIn.by(label)}
              </button>
            ))}
          </div>
          {runningBatch.value === undefined ? null : <p class="quiet">{strings.signIn.inAnotherTab}</p>}
          <p class="quiet">{strings.signIn.orToken}</p>
        </>
      )}
    </>
  );
}

import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { endBrowserSession } from '../api/browser-session.ts';
import { useToken } from '../session.ts';
import { upload } from '../strings/upload.ts';
import { strings } from '../strings.ts';
import { endBatches, runningBatch } from '../upload/running.ts';
import { signInWith } from './sign-in.tsx';

/** Whoever signs out while files are on their way is asked first; nobody else continues them. */
export function SignOut() {
  const failed = useSignal(false);
  const asked = useSignal(false);
  const signOut = async (): Promise<void> => {
    endBatches();
    useToken(undefined, false);
    try {
      await endBrowserSession();
    } catch {
      failed.value = true;
      return;
    }
    failed.value = false;
    await signInWith(undefined);
  };
  return (
    <>
      {failed.value ? (
        <span class="problem" role="alert">
          {strings.signIn.notSignedOut}
        </span>
      ) : null}
      <button
        type="button"
        class="button button-quiet"
        onClick={() => {
          if (runningBatch.peek() === undefined) void signOut();
          else asked.value = true;
        }}
      >
        {strings.signIn.signOut}
      </button>
      {asked.value ? (
        <Question
          signOut={signOut}
          close={() => {
            asked.value = false;
          }}
        />
      ) : null}
    </>
  );
}

function Question({ signOut, close }: { signOut(): Promise<void>; close(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { title, explain, submit, stay } = upload.signOut;
  useLayoutEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="act" aria-labelledby="sign-out-title" onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          dialog.current?.close();
          void signOut();
        }}
      >
        <h2 id="sign-out-title">{title}</h2>
        {explain.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
        <div class="buttons">
          <button type="submit" class="button button-final">
            {submit}
          </button>
          <button type="button" class="button" autofocus onClick={() => dialog.current?.close()}>
            {stay}
          </button>
        </div>
      </form>
    </dialog>
  );
}

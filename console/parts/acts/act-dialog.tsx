import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Problem } from '../../api/problem.ts';
import { refresh } from '../../api/refresh.ts';
import { asProblem } from '../../api/resource.ts';
import { acts as text } from '../../strings/acts.ts';
import { strings } from '../../strings.ts';
import { ByHand, type ByHandParts } from '../by-hand.tsx';

/** What went wrong with an act, by the field of the request that it is about. */
export type FieldProblem = (field: string) => string | undefined;

export interface ActDialogProps {
  readonly title: string;
  /** What will happen, a sentence each. */
  readonly explain: readonly string[];
  readonly submit: string;
  readonly running: string;
  /** What cannot be undone is a button of another colour. */
  readonly final?: boolean;
  readonly byHand: ByHandParts;
  /** Names of the fields that tell their own faults: JSON pointers of the request. */
  readonly fields?: readonly string[];
  readonly children?: (problemOf: FieldProblem) => ComponentChildren;
  /** Does it. What it throws is told here, and the dialog stays. */
  act(signal: AbortSignal): Promise<void>;
  close(): void;
}

/**
 * The question before an act, with what it does, its reason, and how the same is done by hand. Escape closes it; the
 * focus returns to where it was, by the browser's own rules.
 */
export function ActDialog({ title, explain, submit, running, final, byHand, fields = [], children, act, close }: ActDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const problem = useSignal<Problem | undefined>(undefined);
  const under = useSignal<AbortController | undefined>(undefined);
  // With the first picture of it, so that no key that is pressed at once goes to what is behind it.
  useLayoutEffect(() => {
    dialog.current?.showModal();
    return () => under.peek()?.abort();
  }, []);

  const start = async (): Promise<void> => {
    if (under.peek() !== undefined) return;
    const controller = new AbortController();
    under.value = controller;
    problem.value = undefined;
    try {
      await act(controller.signal);
      dialog.current?.close();
    } catch (error) {
      if (controller.signal.aborted) return;
      problem.value = asProblem(error);
      // Somebody else was faster: what is behind the dialog is shown as it is now.
      if ([404, 409, 410, 412].includes(problem.value.status)) refresh();
      setTimeout(() => dialog.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
    } finally {
      under.value = undefined;
    }
  };

  const { value } = problem;
  const atField = value?.field !== undefined && fields.includes(value.field);
  const isRunning = under.value !== undefined;
  return (
    <dialog ref={dialog} class="act" aria-labelledby="act-title" onClose={close}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <h2 id="act-title">{title}</h2>
        {explain.map((sentence) => (
          <p key={sentence}>{sentence}</p>
        ))}
        {children?.((field) => (value?.field === field ? value.message : undefined))}
        {value === undefined || atField ? null : <Refusal problem={value} />}
        <div class="buttons">
          <button type="submit" class={final ? 'button button-final' : 'button button-main'} disabled={isRunning}>
            {isRunning ? running : submit}
          </button>
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            {text.cancel}
          </button>
        </div>
        <ByHand {...byHand} />
      </form>
    </dialog>
  );
}

/** In the words of the server; where there was no answer, that nothing is known. */
export function Refusal({ problem }: { readonly problem: Problem }) {
  const hint = typeof problem.info.hint === 'string' ? problem.info.hint : undefined;
  return (
    <div class="refusal" role="alert">
      {problem.status === 0 ? (
        <p>{text.notKnown}</p>
      ) : (
        <>
          <p>
            <strong>{problem.title || strings.states.failed}.</strong> {problem.message}
          </p>
          {hint === undefined ? null : <p>{hint}</p>}
          {problem.status === 409 || problem.status === 412 ? <p>{text.changed}</p> : null}
          <p class="quiet">
            {text.code} <code>{problem.code}</code>
          </p>
        </>
      )}
    </div>
  );
}

/** Errors: a `Problem` at `/reason`, where it says nothing. */
export function checkReason(reason: string): void {
  if (reason.trim() === '') throw new Problem({ code: 'invalid_value', status: 422, title: '', detail: text.noReason, field: '/reason' });
}

/** A line for the reason of an act, with what is wrong with it. */
export function ReasonField({
  value,
  input,
  problem,
  hint = text.reasonHint,
  isFirst = true,
}: {
  readonly value: string;
  input(text: string): void;
  readonly problem: string | undefined;
  readonly hint?: string;
  /** Of the fields of its dialog: it has the focus then. */
  readonly isFirst?: boolean;
}) {
  return (
    <>
      <label class="field">
        <span>{text.reason}</span>
        <textarea
          name="reason"
          rows={2}
          value={value}
          onInput={(event) => input(event.currentTarget.value)}
          aria-describedby="reason-hint reason-problem"
          aria-invalid={problem !== undefined}
          autofocus={isFirst}
        />
      </label>
      <p id="reason-hint" class="quiet">
        {hint}
      </p>
      <p id="reason-problem" class="problem" role="alert">
        {problem}
      </p>
    </>
  );
}

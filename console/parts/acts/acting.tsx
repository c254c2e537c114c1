import { type Signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Hold as HoldRecord, Package, RetentionRecord } from '../../api/records.ts';
import { refresh } from '../../api/refresh.ts';
import { asProblem } from '../../api/resource.ts';
import { Icon } from '../icon.tsx';
import { Abandon } from './abandon.tsx';
import { Extend } from './extend.tsx';
import { Hold } from './hold.tsx';
import { Release } from './release.tsx';
import { Seal } from './seal.tsx';

/** What somebody has begun to do to a package: its dialog is open. */
export type Act = { readonly kind: 'seal' | 'hold' | 'extend' | 'abandon' } | { readonly kind: 'release'; readonly hold: HoldRecord };

/** What was done, with the way back where there is one. */
export interface Told {
  readonly text: string;
  /** It takes no focus. */
  readonly quiet?: boolean;
  readonly undo?: {
    readonly label: string;
    /** The hold that it releases: it has no other button meanwhile. */
    readonly hold?: string;
    run(): Promise<Told>;
  };
}

export interface ActProps {
  readonly record: Package;
  told(what: Told): void;
  close(): void;
}

/** What a page keeps of the acts on its package. */
export interface Acting {
  readonly act: Signal<Act | undefined>;
  readonly told: Signal<Told | undefined>;
}

export function useActing(): Acting {
  return { act: useSignal<Act | undefined>(undefined), told: useSignal<Told | undefined>(undefined) };
}

export function holdsInForce(retention: RetentionRecord | undefined): readonly HoldRecord[] {
  return (retention?.holds ?? []).filter(({ released_at }) => released_at === null);
}

/** The dialog of the act that was begun. What it tells is shown by `Notice`, and the page is asked for again. */
export function ActInDialog({
  record,
  retention,
  acting,
}: {
  readonly record: Package;
  readonly retention: RetentionRecord | undefined;
  readonly acting: Acting;
}) {
  const act = acting.act.value;
  if (act === undefined) return null;
  const props: ActProps = {
    record,
    told(what) {
      acting.told.value = what;
      refresh();
    },
    close() {
      acting.act.value = undefined;
    },
  };
  switch (act.kind) {
    case 'seal':
      return <Seal {...props} />;
    case 'hold':
      return <Hold {...props} />;
    case 'extend':
      return <Extend {...props} isHeld={holdsInForce(retention).length > 0} />;
    case 'abandon':
      return <Abandon {...props} />;
    case 'release':
      return <Release {...props} holds={holdsInForce(retention)} hold={act.hold} />;
  }
}

const undoMilliseconds = 120_000;

/** What was told stays, without its button; a focus that was on it stays near. */
function withoutUndo(told: Acting['told'], { text }: Told, box: HTMLElement | null): void {
  const hadFocus = box?.contains(document.activeElement) === true;
  told.value = { text, quiet: !hadFocus };
}

/** Says what was done, where it was done. It takes the focus: the button that was pressed may be gone. */
export function Notice({ acting: { told } }: { readonly acting: Acting }) {
  const box = useRef<HTMLDivElement>(null);
  const failed = useSignal<string | undefined>(undefined);
  const what = told.value;
  useEffect(() => {
    failed.value = undefined;
    if (what === undefined) return;
    // After the dialog has given the focus back.
    const focus = what.quiet === true ? undefined : setTimeout(() => box.current?.focus());
    // Later it is an act with a reason of its own.
    const last = what.undo && setTimeout(() => withoutUndo(told, what, box.current), undoMilliseconds);
    return () => {
      clearTimeout(focus);
      clearTimeout(last);
    };
  }, [what]);
  if (what === undefined) return null;
  const { undo } = what;
  return (
    <div ref={box} class="verdict verdict-plain notice" role="status" tabIndex={-1}>
      <Icon name="done" />
      <p class="verdict-title">{failed.value ?? what.text}</p>
      {undo === undefined ? null : (
        <button
          type="button"
          class="button"
          onClick={() => {
            undo.run().then(
              (next) => {
                told.value = next;
                refresh();
              },
              (error: unknown) => {
                failed.value = asProblem(error).message;
                refresh();
              },
            );
          }}
        >
          {undo.label}
        </button>
      )}
    </div>
  );
}

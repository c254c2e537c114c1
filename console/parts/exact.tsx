import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { place } from '../router.ts';
import { announce } from './announce.tsx';

interface Shown {
  readonly of: HTMLElement;
  readonly text: string;
}

/** Whose exact form is shown; one at once on the whole page. */
const shown = signal<Shown | undefined>(undefined);
/** Between what is told, its exact form and the edge of the window, in pixels. */
const gap = 6;

/**
 * What is told as people speak of it, such as a time or a size. `text` is its exact form: shown on hover, on a tap, and
 * where the keyboard has come to it. `inList`: the keyboard passes it by, since its row leads to it.
 */
export function Exact({
  text,
  inList,
  children,
}: {
  readonly text: string;
  readonly inList: boolean;
  readonly children: ComponentChildren;
}) {
  const told = useRef<HTMLButtonElement>(null);
  // Rows that are drawn again for something else do not keep what was exact of another.
  useEffect(() => {
    const { current } = told;
    return () => hide(current);
  }, [text]);
  return (
    <button
      ref={told}
      type="button"
      class="exact"
      title={text}
      {...(inList ? { tabIndex: -1 } : {})}
      onClick={(event) => {
        // A tap on it is for it alone, whatever it stands in.
        event.stopPropagation();
        toggle(event.currentTarget, text);
      }}
      onFocus={({ currentTarget }) => {
        if (currentTarget.matches(':focus-visible')) shown.value = { of: currentTarget, text };
      }}
      onBlur={({ currentTarget }) => hide(currentTarget)}
    >
      {children}
    </button>
  );
}

function hide(of: HTMLElement | null): void {
  if (shown.peek()?.of === of) shown.value = undefined;
}

/** What a tap does: the second one hides it. It is told to those who hear the page. */
function toggle(of: HTMLElement, text: string): void {
  if (shown.peek()?.of === of) {
    shown.value = undefined;
    return;
  }
  shown.value = { of, text };
  announce(text);
}

/** Where the exact form is shown, above everything: no frame that scrolls cuts it. */
export function ExactForm() {
  const bubble = useRef<HTMLDivElement>(null);
  const now = shown.value;
  useLayoutEffect(() => {
    const element = bubble.current;
    if (now === undefined || element === null) return;
    element.showPopover?.();
    const put = (): void => {
      const box = now.of.getBoundingClientRect();
      // What was scrolled out of sight, or is there no longer, has nothing to be beside.
      if (!now.of.isConnected || box.bottom < 0 || box.top > innerHeight) {
        shown.value = undefined;
        return;
      }
      const { width, height } = element.getBoundingClientRect();
      const above = box.top - height - gap;
      element.style.left = `${Math.max(gap, Math.min(box.left, document.documentElement.clientWidth - width - gap))}px`;
      element.style.top = `${above < gap ? box.bottom + gap : above}px`;
    };
    put();
    addEventListener('scroll', put, { passive: true, capture: true });
    addEventListener('resize', put, { passive: true });
    return () => {
      removeEventListener('scroll', put, { capture: true });
      removeEventListener('resize', put);
    };
  }, [now]);
  const at = place.value;
  useEffect(() => {
    shown.value = undefined;
  }, [at]);
  useEffect(() => {
    const elsewhere = ({ target }: Event): void => {
      if (!(target instanceof Node) || shown.peek()?.of.contains(target) !== true) shown.value = undefined;
    };
    const hideByKey = ({ key }: KeyboardEvent): void => {
      if (key === 'Escape') shown.value = undefined;
    };
    addEventListener('pointerdown', elsewhere, { passive: true });
    addEventListener('keydown', hideByKey);
    return () => {
      removeEventListener('pointerdown', elsewhere);
      removeEventListener('keydown', hideByKey);
    };
  }, []);
  if (now === undefined) return null;
  // What is told has it as its description: it is not read twice.
  return (
    <div ref={bubble} class="exact-form" popover="manual" aria-hidden="true">
      {now.text}
    </div>
  );
}

import { signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { place } from '../router.ts';
import { announce } from './announce.tsx';

interface Shown {
  readonly of: HTMLElement;
  readonly text: string;
}

/** The time whose exact form is shown; one at once on the whole page. */
const shown = signal<Shown | undefined>(undefined);
/** Between the time, its exact form and the edge of the window, in pixels. */
const gap = 6;

export function showExact(of: HTMLElement, text: string): void {
  shown.value = { of, text };
}

/** Without `of` whatever is shown. */
export function hideExact(of?: HTMLElement): void {
  if (of === undefined || shown.peek()?.of === of) shown.value = undefined;
}

/** What a tap does: the second one hides it. It is told to those who hear the page. */
export function toggleExact(of: HTMLElement, text: string): void {
  if (shown.peek()?.of === of) {
    hideExact();
    return;
  }
  showExact(of, text);
  announce(text);
}

/** Where the exact form of a time is shown, above everything: no frame that scrolls cuts it. */
export function ExactTime() {
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
        hideExact();
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
  useEffect(() => hideExact(), [at]);
  useEffect(() => {
    const elsewhere = ({ target }: Event): void => {
      if (!(target instanceof Node) || shown.peek()?.of.contains(target) !== true) hideExact();
    };
    const hideByKey = ({ key }: KeyboardEvent): void => {
      if (key === 'Escape') hideExact();
    };
    addEventListener('pointerdown', elsewhere, { passive: true });
    addEventListener('keydown', hideByKey);
    return () => {
      removeEventListener('pointerdown', elsewhere);
      removeEventListener('keydown', hideByKey);
    };
  }, []);
  if (now === undefined) return null;
  // The time has it as its description: it is not read twice.
  return (
    <div ref={bubble} class="exact-time" popover="manual" aria-hidden="true">
      {now.text}
    </div>
  );
}

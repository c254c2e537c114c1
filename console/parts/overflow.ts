import { useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useLayoutEffect } from 'preact/hooks';

/** Whether something of a frame that scrolls sideways is out of sight, at its left and at its right. */
export interface Overflow {
  readonly before: boolean;
  readonly after: boolean;
}

/** Less than a pixel is a matter of rounding. */
const least = 1;

/** Watches a frame: its size, its content, and how far it is scrolled. */
export function useOverflow(frame: RefObject<HTMLElement | null>): Overflow {
  const seen = useSignal<Overflow>({ before: false, after: false });
  // Before it is seen: a frame that is cut shows that from the first picture on.
  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const look = (): void => {
      const { scrollLeft, scrollWidth, clientWidth } = element;
      const before = scrollLeft > least;
      const after = scrollWidth - clientWidth - scrollLeft > least;
      if (before !== seen.peek().before || after !== seen.peek().after) seen.value = { before, after };
    };
    const observer = new ResizeObserver(look);
    for (const each of [element, ...element.children]) observer.observe(each);
    element.addEventListener('scroll', look, { passive: true });
    look();
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);
  return seen.value;
}

/** The class of what is around such a frame, and shows the sign (`overflow.css`). */
export function overflowClass({ before, after }: Overflow): string {
  return `overflow${before ? ' overflow-before' : ''}${after ? ' overflow-after' : ''}`;
}

import { effect } from '@preact/signals';
import { session } from './session.ts';

/** What a place of the browser's history had when it was left. */
interface Left {
  /** How far it was scrolled, in pixels. */
  scroll: number;
  /** The link that had the focus, as it is written in the page. */
  focus: string | undefined;
  readonly parts: Map<string, Part>;
}

interface Part {
  readonly value: unknown;
  readonly rows: number;
}

/** Places that can be come back to; of others the browser's way back leads to their begin. */
const mostPlaces = 50;
/** Of all lists together; the one that was left last is kept however long it is. */
const mostRows = 10_000;
/** How long a page may take until what was seen of it is there again, in milliseconds. */
const patience = 10_000;
/** Frames in which nothing moves any more. */
const calmFrames = 3;

const left = new Map<string, Left>();
let made = 0;
let present = '';
let coming: AbortController | undefined;

/** Which place of the history the page is at: a name that no other one has, also after the page was loaded again. */
export function presentPlace(): string {
  return present;
}

/** Another place is opened, which was never left. */
export function openNewPlace(): string {
  coming?.abort();
  made += 1;
  present = `${performance.timeOrigin}-${made}`;
  return present;
}

/** Remembers what is seen now, before another place is opened. */
export function leavePlace(): void {
  const at = partsOf(present);
  const link = document.activeElement?.closest('main a');
  at.scroll = scrollY;
  at.focus = link?.getAttribute('href') ?? undefined;
}

function partsOf(place: string): Left {
  const found = left.get(place) ?? { scroll: 0, focus: undefined, parts: new Map() };
  left.delete(place);
  left.set(place, found);
  if (left.size > mostPlaces) left.delete(left.keys().next().value!);
  return found;
}

/**
 * Keeps a part of a place, such as the rows of a list. What belongs to somebody who is signed in no longer, by their
 * `epoch`, is not kept.
 */
export function keepPart(
  place: string,
  name: string,
  value: unknown,
  { rows, epoch }: { readonly rows: number; readonly epoch: number },
): void {
  if (epoch !== session.peek().epoch) return;
  partsOf(place).parts.set(name, { value, rows });
  let sum = 0;
  for (const [key, { parts }] of [...left].reverse()) {
    for (const part of parts.values()) sum += part.rows;
    if (sum > mostRows && key !== place) parts.clear();
  }
}

/** What was kept of the present place. */
export function keptPart<T>(name: string): T | undefined {
  return left.get(present)?.parts.get(name)?.value as T | undefined;
}

/** Nothing of one person is shown to the next. */
effect(() => {
  if (session.value.epoch > 0) for (const { parts } of left.values()) parts.clear();
});

/** Whether the page that is shown next was seen before: it is not begun at its heading. */
export function isComingBack(): boolean {
  return coming !== undefined && !coming.signal.aborted;
}

/** Shows a place as it was left: scrolled as far, and with the focus where it was. A person who moves it stops that. */
export function comeBack(place: string): void {
  coming?.abort();
  present = place;
  const to = left.get(place);
  if (to === undefined) return;
  const controller = new AbortController();
  coming = controller;
  const { signal } = controller;
  for (const name of ['wheel', 'touchstart', 'pointerdown', 'keydown'])
    addEventListener(name, () => controller.abort(), { passive: true, capture: true, signal });
  const begun = performance.now();
  let calm = 0;
  let height = -1;
  const step = (): void => {
    if (signal.aborted) return;
    const most = document.documentElement.scrollHeight - innerHeight;
    const link = to.focus === undefined ? null : document.querySelector<HTMLElement>(`main a[href="${CSS.escape(to.focus)}"]`);
    const isThere = most >= to.scroll - 1 && (to.focus === undefined || link !== null);
    const wanted = Math.min(to.scroll, Math.max(0, most));
    if (Math.abs(scrollY - wanted) > 1) scrollTo(0, wanted);
    calm = isThere && most === height ? calm + 1 : 0;
    height = most;
    if (calm < calmFrames && performance.now() - begun < patience) {
      requestAnimationFrame(step);
      return;
    }
    controller.abort();
    (link ?? document.querySelector<HTMLElement>('main h1'))?.focus({ preventScroll: true });
  };
  requestAnimationFrame(step);
}

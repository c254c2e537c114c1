import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { formatCount } from '../format.ts';
import { strings } from '../strings.ts';

const atFirst = 20;
const atOnce = 100;

/**
 * Some of what may be many, and a button for more, with which the keyboard continues at the first that has come.
 * `children` is a list or a table of those that are given; `last`: the last ones, the button is before them.
 */
export function Some<T>({
  of,
  last = false,
  children,
}: {
  readonly of: readonly T[];
  readonly last?: boolean;
  readonly children: (some: readonly T[]) => ComponentChildren;
}) {
  const count = useSignal(atFirst);
  const frame = useRef<HTMLDivElement>(null);
  const came = useRef<number | undefined>(undefined);
  useLayoutEffect(() => {
    const { current: from } = came;
    came.current = undefined;
    if (from === undefined) return;
    const row = frame.current?.querySelector('ol, ul, tbody')?.children[from];
    if (!(row instanceof HTMLElement)) return;
    row.tabIndex = -1;
    row.focus();
  });
  const left = of.length - count.value;
  const more =
    left <= 0 ? null : (
      <button
        type="button"
        class="button"
        onClick={() => {
          came.current = last ? 0 : count.peek();
          count.value += atOnce;
        }}
      >
        {(last ? strings.table.earlier : strings.table.others)(formatCount(Math.min(left, atOnce)), formatCount(left))}
      </button>
    );
  return (
    <div ref={frame} class="some">
      {last ? more : null}
      {children(last ? of.slice(Math.max(0, left)) : of.slice(0, count.value))}
      {last ? null : more}
    </div>
  );
}

import { useSignal } from '@preact/signals';
import { type ComponentChildren, Fragment, type Ref } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { blockRows, type RowWindow, rowWindow } from '../row-window.ts';
import { session } from '../session.ts';
import { keepPart, keptPart, presentPlace } from '../way-back.ts';

/** Drawn above and below of what is seen, in heights of the window. */
const beyond = 1;
/** What is shorter is drawn whole. */
const few = 100;

/**
 * The rows of a `Table` of any length: those that are seen, and room for the others. `row` draws one `<tr>`, with the
 * attributes that it is given: where it is in the whole table.
 */
export function LongRows<T>({
  label,
  items,
  columns,
  row,
}: {
  /** Of its table, which no other of the page has. */
  readonly label: string;
  readonly items: readonly T[];
  readonly columns: number;
  readonly row: (item: T, place: { readonly 'aria-rowindex'?: number }) => ComponentChildren;
}) {
  const top = useRef<HTMLTableRowElement>(null);
  const heights = useRef<number[]>(keptPart<number[]>(`heights ${label}`) ?? []);
  const seen = useSignal<RowWindow>({ first: 0, end: few, above: 0, below: 0 });
  const isLong = items.length > few;
  const { first, end, above, below } = seen.value;

  const look = (): void => {
    if (top.current === null || !isLong) return;
    const at = -top.current.getBoundingClientRect().top;
    const found = rowWindow(items.length, heights.current, at - beyond * innerHeight, at + (1 + beyond) * innerHeight);
    const now = seen.peek();
    if (found.first !== now.first || found.end !== now.end || found.above !== now.above || found.below !== now.below) seen.value = found;
  };
  // Whoever comes back to the list finds each row where it was.
  useLayoutEffect(() => keepPart(presentPlace(), `heights ${label}`, heights.current, { rows: 0, epoch: session.peek().epoch }), []);
  // How high the blocks are is known when they were drawn.
  useLayoutEffect(() => {
    const rows = top.current?.parentElement?.children;
    if (rows === undefined || !isLong) return;
    for (let index = first; index + blockRows <= end; index += blockRows) {
      const [begin, next] = [rows[index - first + 1], rows[index - first + 1 + blockRows]];
      if (begin !== undefined && next !== undefined)
        heights.current[index / blockRows] = next.getBoundingClientRect().top - begin.getBoundingClientRect().top;
    }
    look();
  }, [items.length, first, end]);
  useEffect(() => {
    if (!isLong) return;
    addEventListener('scroll', look, { passive: true });
    addEventListener('resize', look, { passive: true });
    return () => {
      removeEventListener('scroll', look);
      removeEventListener('resize', look);
    };
  }, [isLong, items.length]);

  if (!isLong)
    return (
      <>
        {items.map((item, index) => (
          <Fragment key={index}>{row(item, {})}</Fragment>
        ))}
      </>
    );
  return (
    <>
      <Room at={top} height={above} columns={columns} />
      {items.slice(first, end).map((item, offset) => (
        // The heading is the first row.
        <Fragment key={first + offset}>{row(item, { 'aria-rowindex': first + offset + 2 })}</Fragment>
      ))}
      <Room height={below} columns={columns} />
    </>
  );
}

/** Of rows that are not drawn: nothing for whoever reads the table. */
function Room({ at, height, columns }: { readonly at?: Ref<HTMLTableRowElement>; readonly height: number; readonly columns: number }) {
  const unread = { 'aria-hidden': true } as const;
  return (
    <tr {...(at === undefined ? {} : { ref: at })} class="room" {...unread}>
      <td colSpan={columns} style={{ height: `${height}px` }} />
    </tr>
  );
}

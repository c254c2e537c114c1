import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Pages } from '../api/pages.ts';
import { formatCount } from '../format.ts';
import { strings } from '../strings.ts';
import { focusRow } from './rows-focus.ts';
import { Failure, Loading } from './states.tsx';

/**
 * The end of a list that the server has more of: it is read when it comes into sight, or by its button. The keyboard
 * that was on the button then continues with the first row that has come.
 */
export function More({ pages }: { readonly pages: Pages<unknown> }) {
  const button = useRef<HTMLButtonElement>(null);
  const { more, loading } = pages;
  const count = pages.items.length;
  /** The table, and how long it was when the button got the focus; `pressed` since. */
  const from = useRef({ body: null as HTMLTableSectionElement | null, rows: 0, pressed: false });
  // As it is before these rows are drawn: the button may be gone with them.
  const hadFocus = button.current !== null && document.activeElement === button.current;
  useLayoutEffect(() => {
    const { body, rows, pressed } = from.current;
    if (hadFocus && count > rows && (pressed || button.current === null)) focusRow(body, rows);
  }, [count, more, loading]);
  useEffect(() => {
    const seen = button.current;
    if (seen === null || !more || loading) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) pages.loadMore();
    });
    observer.observe(seen);
    return () => observer.disconnect();
  }, [more, loading, count]);
  if (pages.problem !== undefined && count > 0) return <Failure problem={pages.problem} retry={pages.loadMore} />;
  if (more || (loading && count > 0))
    return (
      <button
        ref={button}
        type="button"
        class="button more"
        // One that is disabled would lose the focus.
        aria-disabled={loading}
        onFocus={({ currentTarget }) => {
          from.current = { body: currentTarget.previousElementSibling?.querySelector('tbody') ?? null, rows: count, pressed: false };
        }}
        onClick={() => {
          if (count > from.current.rows) focusRow(from.current.body, from.current.rows);
          else {
            from.current.pressed = true;
            if (!loading) pages.loadMore();
          }
        }}
      >
        {loading ? strings.table.loadingMore : strings.table.more}
      </button>
    );
  return count > 20 ? <p class="quiet more">{strings.table.end(formatCount(count))}</p> : null;
}

/** A list as far as it was read: its items, that it is under way, why it has no answer, or that there is nothing. */
export function Listed<T>({
  pages,
  rows,
  empty,
  children,
}: {
  readonly pages: Pages<T>;
  readonly rows: number;
  readonly empty: ComponentChildren;
  readonly children: (items: readonly T[]) => ComponentChildren;
}) {
  // A page without items is not the end: what was looked at so far was not for this person.
  if (pages.items.length > 0 || (pages.more && pages.problem === undefined))
    return (
      <>
        {children(pages.items)}
        <More pages={pages} />
      </>
    );
  if (pages.problem !== undefined) return <Failure problem={pages.problem} retry={pages.reload} />;
  return pages.loading ? <Loading rows={rows} /> : empty;
}

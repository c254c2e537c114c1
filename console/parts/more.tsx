import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Pages } from '../api/pages.ts';
import { formatCount } from '../format.ts';
import { strings } from '../strings.ts';
import { Failure, Loading } from './states.tsx';

/** The end of a list that the server has more of: it is read when it comes into sight, or by its button. */
export function More({ pages }: { readonly pages: Pages<unknown> }) {
  const button = useRef<HTMLButtonElement>(null);
  const { more, loading } = pages;
  useEffect(() => {
    const seen = button.current;
    if (seen === null || !more || loading) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) pages.loadMore();
    });
    observer.observe(seen);
    return () => observer.disconnect();
  }, [more, loading, pages.items.length]);
  if (pages.problem !== undefined && pages.items.length > 0) return <Failure problem={pages.problem} retry={pages.loadMore} />;
  if (more || (loading && pages.items.length > 0))
    return (
      <button ref={button} type="button" class="button more" disabled={loading} onClick={pages.loadMore}>
        {loading ? strings.table.loadingMore : strings.table.more}
      </button>
    );
  return pages.items.length > 20 ? <p class="quiet more">{strings.table.end(formatCount(pages.items.length))}</p> : null;
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

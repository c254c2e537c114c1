import { useEffect, useRef } from 'preact/hooks';
import type { Pages } from '../api/pages.ts';
import { formatCount } from '../format.ts';
import { strings } from '../strings.ts';
import { Failure } from './states.tsx';

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

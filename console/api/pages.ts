import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { connectionEpoch } from '../connection.ts';
import { session } from '../session.ts';
import { keepPart, keptPart, presentPlace } from '../way-back.ts';
import type { Problem } from './problem.ts';
import type { Page } from './records.ts';
import { refreshed } from './refresh.ts';
import { asProblem } from './resource.ts';

/** A list of the server, as far as it was read. */
export interface Pages<T> {
  readonly items: readonly T[];
  readonly problem: Problem | undefined;
  readonly loading: boolean;
  /** Whether the server has more. */
  readonly more: boolean;
  readonly loadMore: () => void;
  readonly reload: () => void;
}

/** What of a list is kept for the way back. */
interface KeptRows<T> {
  readonly items: readonly T[];
  readonly cursor: string | null | undefined;
  /** How often something had been done here when it was read. */
  readonly refreshed: number;
}

type Load<T> = (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>;

/**
 * Reads a list page by page, by its cursors; from its begin where `key` changes or somebody else signs in. `kept`:
 * whoever comes back to it by the browser's way back finds the rows that were read, as they were then; where something
 * was done here meanwhile, as many are read again.
 */
export function usePages<T>(key: string, load: Load<T>, { kept = false }: { readonly kept?: boolean } = {}): Pages<T> {
  const name = `rows ${key}`;
  const before = kept ? keptPart<KeptRows<T>>(name) : undefined;
  const state = useSignal<Omit<Pages<T>, 'loadMore' | 'reload' | 'more'> & { key: string; cursor: string | null | undefined }>({
    key,
    items: before?.items ?? [],
    cursor: before?.cursor,
    problem: undefined,
    loading: before === undefined,
  });
  const running = useRef<AbortController>(new AbortController());
  const readAt = useRef(0);

  const begin = (): AbortSignal => {
    running.current.abort();
    running.current = new AbortController();
    return running.current.signal;
  };

  const read = (cursor: string | undefined): void => {
    const signal = begin();
    const earlier = cursor === undefined ? [] : state.peek().items;
    state.value = { key, items: earlier, cursor, problem: undefined, loading: true };
    load(cursor, signal).then(
      ({ items, next_cursor }) => {
        if (signal.aborted) return;
        state.value = { key, items: [...earlier, ...items], cursor: next_cursor, problem: undefined, loading: false };
      },
      (error: unknown) => {
        if (signal.aborted) return;
        state.value = { key, items: earlier, cursor, problem: asProblem(error), loading: false };
      },
    );
  };

  /** The same rows as they are now: those that are shown stay until all have come. */
  const readAgain = (): void => {
    const signal = begin();
    const { items, cursor } = state.peek();
    const asOf = refreshed.peek();
    state.value = { key, items, cursor, problem: undefined, loading: true };
    readAtLeast(items.length, load, signal).then(
      (found) => {
        if (signal.aborted) return;
        readAt.current = asOf;
        state.value = { key, ...found, problem: undefined, loading: false };
      },
      (error: unknown) => {
        if (!signal.aborted) state.value = { key, items, cursor, problem: asProblem(error), loading: false };
      },
    );
  };

  useEffect(() => {
    const at = presentPlace();
    const { epoch } = session.peek();
    const found = kept ? keptPart<KeptRows<T>>(name) : undefined;
    readAt.current = found?.refreshed ?? refreshed.peek();
    if (found === undefined) read(undefined);
    else {
      state.value = { key, items: found.items, cursor: found.cursor, problem: undefined, loading: false };
      if (found.refreshed !== refreshed.peek()) readAgain();
    }
    return () => {
      running.current.abort();
      const { items, cursor, key: of } = state.peek();
      if (!kept || of !== key || items.length === 0) return;
      const rows: KeptRows<T> = { items, cursor, refreshed: readAt.current };
      keepPart(at, name, rows, { rows: items.length, epoch });
    };
  }, [key, session.value.epoch]);

  const back = connectionEpoch.value;
  useEffect(() => {
    const { problem, cursor } = state.peek();
    if (problem?.code === 'unreachable') read(cursor ?? undefined);
  }, [back]);

  const { items, cursor, problem, loading } =
    state.value.key === key ? state.value : { items: [], cursor: null, problem: undefined, loading: true };
  return {
    items,
    problem,
    loading,
    more: cursor !== null && cursor !== undefined,
    loadMore: () => read(cursor ?? undefined),
    reload: () => read(undefined),
  };
}

async function readAtLeast<T>(count: number, load: Load<T>, signal: AbortSignal): Promise<Pick<KeptRows<T>, 'items' | 'cursor'>> {
  const items: T[] = [];
  let next: string | undefined;
  do {
    const page: Page<T> = await load(next, signal);
    items.push(...page.items);
    next = page.next_cursor ?? undefined;
  } while (items.length < count && next !== undefined);
  return { items, cursor: next ?? null };
}

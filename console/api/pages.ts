import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { connectionEpoch } from '../connection.ts';
import { session } from '../session.ts';
import type { Problem } from './problem.ts';
import type { Page } from './records.ts';
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

/** Reads a list page by page, by its cursors; from its begin where `key` changes or somebody else signs in. */
export function usePages<T>(key: string, load: (cursor: string | undefined, signal: AbortSignal) => Promise<Page<T>>): Pages<T> {
  const state = useSignal<Omit<Pages<T>, 'loadMore' | 'reload' | 'more'> & { key: string; cursor: string | null | undefined }>({
    key,
    items: [],
    cursor: undefined,
    problem: undefined,
    loading: true,
  });
  const running = useRef<AbortController>(new AbortController());

  const read = (cursor: string | undefined): void => {
    running.current.abort();
    const controller = new AbortController();
    running.current = controller;
    const before = cursor === undefined ? [] : state.peek().items;
    state.value = { key, items: before, cursor, problem: undefined, loading: true };
    load(cursor, controller.signal).then(
      ({ items, next_cursor }) => {
        if (controller.signal.aborted) return;
        state.value = { key, items: [...before, ...items], cursor: next_cursor, problem: undefined, loading: false };
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        state.value = { key, items: before, cursor, problem: asProblem(error), loading: false };
      },
    );
  };

  useEffect(() => {
    read(undefined);
    return () => running.current.abort();
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

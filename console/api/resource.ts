import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { connectionEpoch } from '../connection.ts';
import { session } from '../session.ts';
import { strings } from '../strings.ts';
import { Problem } from './problem.ts';
import { refreshed } from './refresh.ts';

/** What a page shows of a call. A value stays while it is asked for again. */
export interface Resource<T> {
  readonly value: T | undefined;
  readonly problem: Problem | undefined;
  readonly loading: boolean;
  readonly reload: () => void;
}

/**
 * Asks when the page is shown, when `key` changes, when somebody else signs in, when the connection is back, and when
 * something was done here. What is asked for no longer is stopped.
 */
export function useResource<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const state = useSignal<{ key: string; value?: T; problem?: Problem; loading: boolean }>({ key, loading: true });
  const again = useSignal(0);
  const who = session.value.epoch;
  useEffect(() => {
    const controller = new AbortController();
    const before = state.peek();
    state.value = before.key === key ? { ...before, loading: true } : { key, loading: true };
    load(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) state.value = { key, value, loading: false };
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        state.value = { ...state.peek(), problem: asProblem(error), loading: false };
      },
    );
    return () => controller.abort();
  }, [key, who, connectionEpoch.value, refreshed.value, again.value]);
  const { value, problem, loading } = state.value.key === key ? state.value : { value: undefined, problem: undefined, loading: true };
  return {
    value,
    problem,
    loading,
    reload() {
      again.value += 1;
    },
  };
}

export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  // Whoever mends it finds it here; it says nothing to a person.
  console.error(error);
  const { title, detail } = strings.states.fault;
  return new Problem({ code: 'console_failed', status: 0, title, detail });
}

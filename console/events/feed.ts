import { signal } from '@preact/signals';
import { call } from '../api/call.ts';
import type { Problem } from '../api/problem.ts';
import { asProblem } from '../api/resource.ts';
import { startLogReader } from '../workers/start.ts';
import { isFault } from './chain.ts';
import type { FromLogWorker, ShownEvent, ToLogWorker } from './messages.ts';

export type FeedQuery = Readonly<Record<string, string>>;

/** `waiting`: the stream was cut, and is asked for again; `held`: nothing more is taken until somebody says so. */
export type FeedState = 'connecting' | 'live' | 'waiting' | 'held' | 'failed';

export interface FeedView {
  readonly state: FeedState;
  /** The newest first, at most `windowEvents`. */
  readonly items: readonly ShownEvent[];
  /** Up to where the log was read. */
  readonly position: number;
  /** How many came, and how many of them follow from the one before; those that are not shown any more, too. */
  readonly taken: number;
  readonly followed: number;
  /** The first that is not as it should be. */
  readonly fault: ShownEvent | undefined;
  /** Of the event that was read last; null where no chain is shown. */
  readonly head: string | null;
  readonly problem: Problem | undefined;
}

/** Rows that the page keeps, whatever comes: its memory does not grow. */
export const windowEvents = 300;
const firstWait = 500;
const longestWait = 15_000;
/** What comes together is shown together. */
const showEvery = 150;

const nothing: FeedView = {
  state: 'connecting',
  items: [],
  position: 0,
  taken: 0,
  followed: 0,
  fault: undefined,
  head: null,
  problem: undefined,
};

/**
 * The log from a sequence on, live: followed, resumed where it was cut, and with an end of what it keeps. It holds when
 * `stopAfter` events have come.
 */
export function openFeed(since: number, query: FeedQuery, stopAfter = Number.POSITIVE_INFINITY) {
  const view = signal<FeedView>({ ...nothing, position: since });
  const worker = startLogReader();
  const answers: ((made: FromLogWorker) => void)[] = [];
  worker.addEventListener('message', ({ data }: MessageEvent<FromLogWorker>) => answers.shift()?.(data));
  const ask = (message: ToLogWorker): Promise<FromLogWorker> =>
    new Promise((resolve) => {
      answers.push(resolve);
      worker.postMessage(message, message.kind === 'bytes' ? [message.bytes.buffer] : []);
    });
  const closing = new AbortController();
  let running = new AbortController();
  let stop = stopAfter;
  let pending: ShownEvent[] = [];
  let state = view.peek();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const set = (changes: Partial<FeedView>, now = true): void => {
    state = { ...state, ...changes };
    if (now) show();
    else timer ??= setTimeout(show, showEvery);
  };
  function show(): void {
    clearTimeout(timer);
    timer = undefined;
    if (closing.signal.aborted) return;
    if (pending.length > 0) state = { ...state, items: [...pending.toReversed(), ...state.items].slice(0, windowEvents) };
    pending = [];
    view.value = state;
  }

  function take({ items, position }: FromLogWorker): void {
    if (items.length === 0 && position <= state.position) return;
    pending = [...pending, ...items].slice(-windowEvents);
    const fault = state.fault ?? items.find(({ link }) => isFault(link));
    set(
      {
        position: Math.max(position, state.position),
        taken: state.taken + items.length,
        followed: state.followed + items.filter(({ link }) => link === 'follows').length,
        fault,
        head: items.length === 0 ? state.head : items.at(-1)!.chain_digest,
      },
      false,
    );
    if (state.taken >= stop) hold();
  }

  function hold(): void {
    stop = Number.POSITIVE_INFINITY;
    running.abort();
    set({ state: 'held' });
  }

  async function follow(): Promise<void> {
    running = new AbortController();
    const { signal } = running;
    for (let wait = firstWait; !signal.aborted; wait = Math.min(wait * 1.7, longestWait)) {
      try {
        const response = await call('events', {
          query: { ...query, since: state.position },
          headers: { accept: 'text/event-stream' },
          signal,
        });
        await ask({ kind: 'cut' });
        set({ state: 'live', problem: undefined });
        const reader = response.body!.getReader();
        for (let part = await reader.read(); !part.done; part = await reader.read()) {
          // The next bytes are read when these were taken: a slow page holds back the server, and fills no memory.
          take(await ask({ kind: 'bytes', bytes: part.value }));
          wait = firstWait;
        }
      } catch (error) {
        if (signal.aborted) return;
        const problem = error instanceof TypeError ? undefined : asProblem(error);
        // What no second try can mend is left to the person.
        if (problem !== undefined && problem.status >= 400 && problem.status < 500) return set({ state: 'failed', problem });
      }
      if (signal.aborted) return;
      set({ state: 'waiting' });
      await pause(wait, signal);
    }
  }

  void follow();
  return {
    view,
    hold,
    resume() {
      running.abort();
      set({ state: 'connecting', problem: undefined });
      void follow();
    },
    close() {
      closing.abort();
      running.abort();
      clearTimeout(timer);
      worker.terminate();
    },
  };
}

export type Feed = ReturnType<typeof openFeed>;

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

import type { Segment, UploadPlace } from '../DATAPLANE.ts';
import type { RunningDigests } from '../hashing/running.ts';

/**
 * Digests of uploads between two calls, in this process only: whoever finds none reads the bytes again. A state is
 * found for exactly the bytes it has seen: those up to the end of a segment, by its name and how many they are, in a
 * file that nobody has touched since.
 */
export interface HashStates {
  /** The state of these bytes, which is then the caller's alone; undefined where none is kept. Others are dropped. */
  take(key: StateKey): RunningDigests | undefined;
  /** Keeps a state of all of these bytes. The states that were used longest ago make room. */
  keep(key: StateKey, state: RunningDigests): void;
  /** Drops what is kept of an upload; where segments are named, only what is of one of these. */
  drop(place: UploadPlace, of?: readonly Segment[]): void;
}

export interface StateKey extends UploadPlace {
  readonly segment: Segment;
  /** What a file looks like that is as its last writer left it; always the same for what is never changed. */
  readonly mark: string;
}

/** About 4 KiB for each, and 32 bytes for each MiB of its upload. */
export const keptStates = 1_000;
export const keptMilliseconds = 3_600_000;

export function createHashStates(room: number = keptStates, milliseconds: number = keptMilliseconds): HashStates {
  /** By upload, in the order in which they were last used. */
  const kept = new Map<string, { readonly of: string; readonly name: string; readonly since: number; readonly state: RunningDigests }>();

  function remove(id: string): RunningDigests | undefined {
    const entry = kept.get(id);
    kept.delete(id);
    return entry?.state;
  }

  return {
    take(key) {
      const entry = kept.get(idOf(key));
      const state = remove(idOf(key));
      if (entry?.of === identityOf(key) && state?.bytes() === key.segment.bytes) return state;
      state?.forget();
      return undefined;
    },
    keep(key, state) {
      remove(idOf(key))?.forget();
      if (state.bytes() !== key.segment.bytes || !state.intact([])) return state.forget();
      const now = performance.now();
      kept.set(idOf(key), { of: identityOf(key), name: key.segment.name, since: now, state });
      for (const [id, { since }] of kept) {
        if (kept.size <= room && now - since <= milliseconds) break;
        remove(id)?.forget();
      }
    },
    drop(place, of) {
      const name = kept.get(idOf(place))?.name;
      if (of?.some((segment) => segment.name === name) !== false) remove(idOf(place))?.forget();
    },
  };
}

function idOf({ backendId, uploadId }: UploadPlace): string {
  return `${backendId}/${uploadId}`;
}

function identityOf({ segment: { name, bytes }, mark }: StateKey): string {
  return JSON.stringify([name, bytes, mark]);
}

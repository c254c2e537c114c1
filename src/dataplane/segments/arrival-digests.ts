import type { Algorithm } from '../../kernel/content/digest.ts';
import type { Segment, SegmentWrite, UploadPlace } from '../DATAPLANE.ts';
import type { Digested } from '../hashing/digester.ts';
import type { HashThreads } from '../hashing/hash-threads.ts';
import { beginRunning, type RunningDigests } from '../hashing/running.ts';
import { createHashStates, type HashStates } from './hash-states.ts';

/**
 * Digests of uploads that are made while their bytes arrive, so that nothing is hashed again at the end. Of files only
 * where an upload is in one, since what is in several is copied and hashed on the way; of objects always. What a state
 * has seen is named by its last segment, with the length of all of them.
 */
export interface ArrivalDigests {
  readonly threads: HashThreads | undefined;
  /**
   * The digests of what is there, which ends in `last` (undefined where they cannot be told) and has this mark, to be
   * continued; undefined where they are not known any more.
   */
  begin(write: SegmentWrite, last: Segment | undefined, mark: string | undefined): RunningDigests | undefined;
  /**
   * Keeps what `begin` gave for the next call, where it has seen exactly these bytes and no more, and they are left
   * with this mark.
   */
  keep(place: UploadPlace, last: Segment | undefined, mark: string | undefined, running: RunningDigests): void;
  /** The digests of what ends in this segment; undefined where they are not known by these algorithms. */
  of(place: UploadPlace, segment: Segment, mark: string, algorithms: readonly string[]): Promise<Digested | undefined>;
  drop(place: UploadPlace, of: readonly Segment[]): void;
}

export function createArrivalDigests(
  digestAlgorithm: Algorithm,
  threads: HashThreads | undefined,
  states: HashStates = createHashStates(),
): ArrivalDigests {
  function keep({ uploadId, backendId }: UploadPlace, segment: Segment, mark: string, running: RunningDigests): void {
    states.keep({ uploadId, backendId, segment, mark }, running);
  }

  return {
    threads,

    begin({ uploadId, backendId, segments, maximumBytes, declared = [] }, last, mark) {
      if (segments.length === 0) {
        states.drop({ uploadId, backendId });
        return beginRunning([...new Set([digestAlgorithm, 'sha256', ...declared])], maximumBytes, threads);
      }
      if (last === undefined || mark === undefined) return undefined;
      const running = states.take({ uploadId, backendId, segment: last, mark });
      if (running?.finished() !== true) return running;
      running.forget();
      return undefined;
    },

    keep(place, last, mark, running) {
      if (last === undefined || mark === undefined) running.forget();
      else keep(place, last, mark, running);
    },

    async of({ uploadId, backendId }, segment, mark, algorithms) {
      const running = states.take({ uploadId, backendId, segment, mark });
      if (running === undefined) return undefined;
      const digested = running.intact(algorithms) ? await running.finish() : undefined;
      // Whoever is refused now may ask again.
      if (digested === undefined) running.forget();
      else keep({ uploadId, backendId }, segment, mark, running);
      return digested;
    },

    drop: (place, of) => states.drop(place, of),
  };
}

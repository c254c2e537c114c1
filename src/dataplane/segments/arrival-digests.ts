import type { Algorithm } from '../../kernel/content/digest.ts';
import type { Segment, SegmentWrite, UploadPlace } from '../DATAPLANE.ts';
import type { Digested } from '../hashing/digester.ts';
import type { HashThreads } from '../hashing/hash-threads.ts';
import { beginRunning, type RunningDigests } from '../hashing/running.ts';
import { createHashStates, type HashStates } from './hash-states.ts';

/**
 * Digests of uploads that are made while their bytes arrive, so that nothing is read again at the end. Only of those
 * that are one file, since what is in several is copied and hashed on the way.
 */
export interface ArrivalDigests {
  readonly threads: HashThreads | undefined;
  /**
   * The digests of what a file has (`last`, or nothing) that is opened with this mark, to be continued; undefined where
   * they are not known any more.
   */
  begin(write: SegmentWrite, last: Segment | undefined, mark: string | undefined): RunningDigests | undefined;
  /**
   * Keeps what `begin` gave for the next call, where it has seen exactly these bytes and no more, and the file is left
   * with this mark.
   */
  keep(place: UploadPlace, segments: readonly Segment[], mark: string | undefined, running: RunningDigests): void;
  /** The digests of the one segment of an upload; undefined where they are not known by these algorithms. */
  of(place: UploadPlace, segment: Segment, mark: string, algorithms: readonly string[]): Promise<Digested | undefined>;
  drop(place: UploadPlace): void;
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
      if (last === undefined || mark === undefined || segments.length > 1) return undefined;
      const running = states.take({ uploadId, backendId, segment: last, mark });
      if (running?.finished() !== true) return running;
      running.forget();
      return undefined;
    },

    keep(place, segments, mark, running) {
      const [only] = segments;
      if (only === undefined || mark === undefined || segments.length > 1) running.forget();
      else keep(place, only, mark, running);
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

    drop: (place) => states.drop(place),
  };
}

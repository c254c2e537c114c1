import type { Algorithm } from '../../kernel/content/digest.ts';
import type { Segment, SegmentWrite, UploadPlace } from '../DATAPLANE.ts';
import type { Digested } from '../hashing/digester.ts';
import type { HashThreads } from '../hashing/hash-threads.ts';
import { beginRunning, type RunningDigests } from '../hashing/running.ts';
import { createHashStates, type HashStates } from './hash-states.ts';
import { markOf } from './segment-file.ts';

/**
 * Digests of uploads that are made while their bytes arrive, so that nothing is read again at the end. Only of those
 * that are one file, since what is in several is copied and hashed on the way.
 */
export interface ArrivalDigests {
  readonly threads: HashThreads | undefined;
  /**
   * The digests of what the file at `path` has (`last`, or nothing), to be continued; undefined where they are not
   * known any more. It is asked before the file is opened.
   */
  begin(path: string, write: SegmentWrite, last: Segment | undefined): Promise<RunningDigests | undefined>;
  /** Keeps what `begin` gave for the next call, where it has seen exactly these bytes and no more. */
  keep(path: string, write: UploadPlace, segments: readonly Segment[], running: RunningDigests): Promise<void>;
  /** The digests of the one segment of an upload; undefined where they are not known by these algorithms. */
  of(path: string, place: UploadPlace, segment: Segment, algorithms: readonly string[]): Promise<Digested | undefined>;
  drop(place: UploadPlace): void;
}

export function createArrivalDigests(
  digestAlgorithm: Algorithm,
  threads: HashThreads | undefined,
  states: HashStates = createHashStates(),
): ArrivalDigests {
  async function take(path: string, { uploadId, backendId }: UploadPlace, segment: Segment): Promise<RunningDigests | undefined> {
    const { mark } = await markOf(path, segment.bytes);
    return states.take({ uploadId, backendId, segment, mark });
  }

  async function keep(path: string, { uploadId, backendId }: UploadPlace, segment: Segment, running: RunningDigests): Promise<void> {
    const found = await markOf(path, segment.bytes).catch(() => undefined);
    if (found?.exact === true) states.keep({ uploadId, backendId, segment, mark: found.mark }, running);
    else running.forget();
  }

  return {
    threads,

    async begin(path, write, last) {
      const { segments, maximumBytes, declared = [] } = write;
      if (segments.length === 0) {
        states.drop(write);
        return beginRunning([...new Set([digestAlgorithm, 'sha256', ...declared])], maximumBytes, threads);
      }
      if (last === undefined || segments.length > 1) return undefined;
      const running = await take(path, write, last);
      if (running?.finished() !== true) return running;
      running.forget();
      return undefined;
    },

    async keep(path, place, segments, running) {
      const [only] = segments;
      if (only === undefined || segments.length > 1) running.forget();
      else await keep(path, place, only, running);
    },

    async of(path, place, segment, algorithms) {
      const running = await take(path, place, segment);
      if (running === undefined) return undefined;
      const digested = running.intact(algorithms) ? await running.finish() : undefined;
      // Whoever is refused now may ask again.
      if (digested === undefined) running.forget();
      else await keep(path, place, segment, running);
      return digested;
    },

    drop: (place) => states.drop(place),
  };
}

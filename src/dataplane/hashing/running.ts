import { blockBytes } from '../DATAPLANE.ts';
import { createDigester, type Digested } from './digester.ts';
import type { HashThreads } from './hash-threads.ts';

/** Digests of a file that grows, also in several calls: of all bytes that were given, from the first. */
export interface RunningDigests {
  /** How many bytes were given. */
  bytes(): number;
  /**
   * Takes the bytes that follow, which must stay as they are until this settles, and must not cross the end of a block.
   * Pieces are hashed in the order given. Never rejects: see `intact`.
   */
  update(piece: Uint8Array): Promise<void>;
  /** Whether all that was given was hashed, by these algorithms among others, and may be asked for. */
  intact(algorithms: Iterable<string>): boolean;
  /** Of all bytes that were given, as often as wanted; undefined where that is not known. No update may follow. */
  finish(): Promise<Digested | undefined>;
  /** Whether it was asked to finish, so that it takes no more bytes. */
  finished(): boolean;
  /** Ends it. No update may be under way. */
  forget(): void;
}

/** `sizeBytes`: how many bytes there will be at most. What fits one block is hashed here. Algorithms must be known. */
export function beginRunning(algorithms: readonly string[], sizeBytes: number, threads: HashThreads | undefined): RunningDigests {
  const remote = sizeBytes > blockBytes ? threads?.begin(algorithms) : undefined;
  const digester = remote ?? createDigester(algorithms);
  const known = new Set(algorithms);
  let bytes = 0;
  let failed = false;
  let result: Promise<Digested | undefined> | undefined;

  async function attempt<T>(work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return failed ? undefined : await work();
    } catch {
      // The thread ended. What it knew is read again from where the bytes lie.
      failed = true;
      return undefined;
    }
  }

  return {
    bytes: () => bytes,
    async update(piece) {
      bytes += piece.byteLength;
      if (result !== undefined) failed = true;
      await attempt(() => digester.update(piece));
    },
    intact: (wanted) => !failed && [...wanted].every((algorithm) => known.has(algorithm)),
    finish() {
      result ??= attempt(() => digester.finish());
      return result;
    },
    finished: () => result !== undefined,
    forget() {
      if (result === undefined) remote?.forget();
      result ??= Promise.resolve(undefined);
    },
  };
}

/** What a reading thread is started with. */
export interface ReadThreadData {
  /** For open(2). */
  readonly flags: number;
  /** Of a file; at most `memoryBytes`. */
  readonly maximumBytes: number;
}

/** Files share memory of this length, so that bytes which somebody keeps for long keep no more than this. */
export const memoryBytes = 65_536;

/** Paths of files to read whole; answered in turn. */
export type ReadRequest = readonly string[];

export interface ReadAnswer {
  /** The files' bytes, each whole in one of these; all but the last are `memoryBytes` long. */
  readonly memories: readonly ArrayBuffer[];
  /** Where the bytes of each file begin, counted through all of it. */
  readonly starts: readonly number[];
  /** The length of each file; -1 for one that was not read, whatever the reason. */
  readonly lengths: readonly number[];
}

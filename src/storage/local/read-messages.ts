/** What a reading thread is started with. */
export interface ReadThreadData {
  /** For open(2). */
  readonly flags: number;
  readonly maximumBytes: number;
}

/** Paths of files to read whole; answered in turn. */
export type ReadRequest = readonly string[];

export interface ReadAnswer {
  /** The files' bytes, one after the other. */
  readonly memory: ArrayBuffer;
  /** The length of each; -1 for one that was not read, whatever the reason. */
  readonly lengths: readonly number[];
}

/** What an unlinking thread is started with. */
export interface UnlinkThreadData {
  readonly root: string;
}

/** Paths of files below the root; answered in turn. */
export type UnlinkRequest = readonly string[];

export interface UnlinkAnswer {
  /** For each path, whether it is gone now, or was, below a root that is there. False: nothing is known. */
  readonly gone: readonly boolean[];
  /** How long it took. */
  readonly milliseconds: number;
}

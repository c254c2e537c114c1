/** Something that lies where segments lie. */
export interface LeftSegment {
  readonly uploadId: string;
  readonly modifiedMilliseconds: number;
  /** One that is gone is no error. */
  remove(): Promise<void>;
}

/** From the thread: it has loaded its module and takes inputs, one at a time, each answered before the next is sent. */
export type ThreadAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'output'; readonly output: unknown }
  | { readonly kind: 'failed'; readonly reason: string };

export interface ThreadData {
  /** The URL of the module whose `work` is called. */
  readonly module: string;
  /** Whether the thread gives way to the others of this machine. */
  readonly givesWay: boolean;
}

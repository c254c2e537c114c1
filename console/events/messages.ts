import type { Link, LoggedEvent } from './chain.ts';

/** An event as the page keeps it: its payload as text, cut where it is long. */
export interface ShownEvent extends Omit<LoggedEvent, 'payload'> {
  readonly payload_text: string;
  /** What it is about, in a few words; empty where the payload has none. */
  readonly summary: string;
  /** Whether it says that stored bytes are damaged or missing. */
  readonly found_bad: boolean;
  /** How long the text of the whole payload is. */
  readonly payload_length: number;
  readonly link: Link;
}

/** `reset`: another log, or another reader; `cut`: the same one, in a new stream. */
export type ToLogWorker = { readonly kind: 'reset' } | { readonly kind: 'cut' } | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** What was made of some bytes: the page sends more then. */
export interface FromLogWorker {
  readonly items: readonly ShownEvent[];
  /** Up to where the log was looked at; the same as before where these bytes did not say. */
  readonly position: number;
}

/** What the page asks of the worker that hashes. */
export type ToHashWorker =
  | { readonly kind: 'file'; readonly id: number; readonly file: Blob }
  /** Texts one after the other, as UTF-8. */
  | { readonly kind: 'text'; readonly id: number; readonly parts: readonly string[] }
  | { readonly kind: 'stop'; readonly id: number };

export type FromHashWorker =
  | { readonly kind: 'progress'; readonly id: number; readonly bytes: number }
  /** In lowercase hex. */
  | { readonly kind: 'digest'; readonly id: number; readonly sha256: string }
  /** The bytes cannot be read any more: the file has changed, or is gone. */
  | { readonly kind: 'unreadable'; readonly id: number; readonly why: string };

import type { ErrorRecord } from '../../kernel/error.ts';
import type { Digested } from './digester.ts';

/** To the hashing thread. `stream` numbers the files that one thread hashes at a time; their pieces come in order. */
export type HashRequest =
  | { readonly kind: 'begin'; readonly stream: number; readonly algorithms: readonly string[] }
  | {
      readonly kind: 'update';
      readonly stream: number;
      readonly memory: SharedArrayBuffer;
      readonly offset: number;
      readonly length: number;
    }
  | { readonly kind: 'finish'; readonly stream: number }
  | { readonly kind: 'forget'; readonly stream: number }
  /** Ends the thread; nothing may follow. */
  | { readonly kind: 'end' };

/** Answers to `update` and `finish`, in the order in which they were asked. */
export type HashAnswer =
  | { readonly kind: 'updated'; readonly stream: number }
  | { readonly kind: 'finished'; readonly stream: number; readonly digested: Digested }
  | { readonly kind: 'failed'; readonly stream: number; readonly error: ErrorRecord };

import type { Failure } from '../failure.ts';

/** What a database thread is started with. */
export interface ThreadData {
  readonly path: string;
  /** The URL of the operations module. */
  readonly operations: string;
  /** Nothing may be made, not even the files that SQLite puts beside the database while somebody has it open. */
  readonly readOnly: boolean;
}

export type Task =
  | { readonly kind: 'operation'; readonly name: string; readonly input: unknown }
  /** Does nothing but answer: the thread is up and has its operations. */
  | { readonly kind: 'start' }
  | { readonly kind: 'migrate' }
  | { readonly kind: 'replay' }
  /** The log's last sequence. */
  | { readonly kind: 'last_sequence' }
  | { readonly kind: 'health' }
  /** Answered when the connection is closed; nothing may follow. */
  | { readonly kind: 'close' };

export interface Request {
  readonly id: number;
  readonly task: Task;
}

export type Answer =
  | { readonly id: number; readonly kind: 'output'; readonly output: unknown /** The log's, after a commit. */; readonly sequence?: number }
  | { readonly id: number; readonly kind: 'failure'; readonly failure: Failure }
  | { readonly id: number; readonly kind: 'progress'; readonly done: number; readonly total: number };

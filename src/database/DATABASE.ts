import type { Kysely } from '#kysely';
import type { NewEvent } from '../kernel/log/event.ts';
import type { Timestamp } from '../kernel/time.ts';
import type { OperationalTables, Schema } from './schema.ts';

/**
 * The database door: the log and its views. What is done to them are *operations*: named functions in one static table,
 * given to the database when it is opened, that read and append inside a transaction. An operation's input and output
 * are plain values, so the embedded database runs them on a thread of its own, beside its data, and the main event loop
 * never waits for a disk. `conformance.ts` is the suite that every dialect passes.
 */
export interface Database<O extends Operations = Operations> {
  /**
   * Runs a writing operation. Many share one transaction and one fsync (group commit), each undone by itself or
   * with its set: one that throws changes nothing and hurts no neighbour. Resolves only when the commit is durable.
   * Idle, it waits for nobody. What waits at the same time is done in any order. An input's `moved`, an array of bytes
   * each in memory of its own, is given away: it may be moved to another thread, and the caller has no use of it
   * afterwards; so is that of an output. Errors: the operation's own `ArtifactstoreError`; `database_unavailable`;
   * `storage_full`.
   */
  write<N extends keyof O['writes'] & string>(name: N, input: InputOf<O['writes'][N]>): Promise<OutputOf<O['writes'][N]>>;

  /** Runs a reading operation on one consistent snapshot, beside the writers. */
  read<N extends keyof O['reads'] & string>(name: N, input: InputOf<O['reads'][N]>): Promise<OutputOf<O['reads'][N]>>;

  /**
   * A number that any commit changes, by any process: while it stays the same, a read gives what it gave before.
   * Undefined when it is not known now. Present where it costs less than a read would, and never waits.
   */
  readonly version?: () => number | undefined;

  /**
   * What the clock of the database's server says, in milliseconds since the epoch. Absent where that is this machine's.
   */
  readonly clock?: () => Promise<number>;

  /**
   * Resolves with the last sequence as soon as it is above `since`, by any process's commit, or when the time has
   * passed or `signal` aborts, whichever comes first.
   */
  waitForEvents(since: number, milliseconds: number, signal?: AbortSignal): Promise<number>;

  /**
   * Empties the views and folds the log into them again, in one transaction. Refuses a broken chain with
   * `integrity_failure`.
   */
  replay(onProgress?: (done: number, total: number) => void): Promise<{ readonly events: number; readonly sequence: number }>;

  /** Brings the schema up to date; the names of the migrations that were applied. */
  migrate(): Promise<readonly string[]>;

  /** Never throws. `migrated` is false when `migrate` has something to do. */
  health(): Promise<{ readonly healthy: boolean; readonly migrated: boolean; readonly detail: string }>;

  close(): Promise<void>;
}

/** What an operation that reads may do. */
export interface Snapshot {
  readonly sql: Kysely<Schema>;
}

/** What an operation that writes may do. It must not touch the log or the views but through `append`. */
export interface Transaction extends Snapshot {
  /** The time of this operation: the `created_at` of every event it appends. */
  readonly now: Timestamp;
  /** The registry's id, from the `registry` table. */
  readonly registryId: string;
  /** A new UUIDv7. */
  newId(): string;
  /**
   * Adds an event to the log and folds it into the views; returns its sequence. The rows are written when the operation
   * ends, or at `flush`: until then its own `sql` does not see them.
   */
  append(event: NewEvent): number;
  /** Adds a row to an operational table. It is written with what is appended, and `sql` sees it as late. */
  insert<T extends InsertedTable>(table: T, row: Readonly<OperationalTables[T]>): void;
  /** Writes what was appended and inserted so far, so that `sql` sees it. */
  flush(): Promise<void>;
}

/** Operational tables that `insert` knows. A row of `block_digests` that is there already stays. */
export type InsertedTable = 'idempotency_keys' | 'held_objects' | 'block_digests' | 'write_session_objects';

/** Inputs and outputs are structured-cloneable plain values. */
export type WriteOperation = ((transaction: Transaction, input: never) => Promise<unknown>) & {
  /** Absent where each input runs alone. */
  readonly set?: SetForm<never, unknown>;
};

/**
 * An operation over many inputs at once, in one savepoint: one query reads for all, one statement a table writes for
 * all. It does what the operation does with the inputs one by one, in their order.
 */
export interface SetForm<I, O> {
  /** Reads before it does anything else, so that what it reads first can be asked for while the log is being locked. */
  readonly readsFirst?: true;
  /** How much an input adds to a set: 1 is about a row of each view, or 4 KiB. */
  weigh(input: I): number;
  /**
   * An outcome for each input; an input that is refused has changed nothing. When it throws, the set is undone, and
   * each input runs alone.
   */
  run(transaction: Transaction, inputs: readonly I[]): Promise<readonly Outcome<O>[]>;
}

export type Outcome<O> = { readonly output: O } | { readonly error: unknown };

export type ReadOperation = (snapshot: Snapshot, input: never) => Promise<unknown>;

export interface Operations {
  readonly writes: Readonly<Record<string, WriteOperation>>;
  readonly reads: Readonly<Record<string, ReadOperation>>;
}

type InputOf<F> = F extends (transaction: never, input: infer I) => unknown ? I : never;
type OutputOf<F> = F extends (...parameters: never) => Promise<infer R> ? R : never;

/**
 * Where operations come from: a module whose export `operations` is an `Operations`, so that a thread can load it too.
 */
export interface OperationsModule {
  readonly url: URL;
  /** Names of reads that look at all there is: where that is much, no other read waits for them. */
  readonly long?: readonly string[];
}

/** How a database is opened, whichever it is. */
export interface OpenOptions {
  readonly operations: OperationsModule;
  /** Brings the schema up to date before the first operation. */
  readonly migrate?: boolean;
  /**
   * Nothing is written and nothing is made: also on read-only media, and on a standby. `write`, `replay` and `migrate`
   * answer `database_unavailable`.
   */
  readonly readOnly?: boolean;
}

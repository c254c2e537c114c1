import type { Kysely } from '#kysely';
import { type LogHead, linkEvent, type NewEvent, type StoredEvent } from '../kernel/log/event.ts';
import type { Timestamp } from '../kernel/time.ts';
import { fold } from '../kernel/views/fold.ts';
import type { Clock } from './clock.ts';
import type { InsertedTable, Transaction } from './DATABASE.ts';
import { createRowChanges, type RowChanges } from './row-changes.ts';
import type { Schema } from './schema.ts';

/**
 * A connection with an open transaction that holds the log: what a dialect gives to the parts that are the same in all.
 */
export interface LogSession {
  readonly sql: Kysely<Schema>;
  /**
   * The events after a sequence, in order: so many, or fewer where the payloads before the last one have that many
   * bytes already; none only at the end of the log.
   */
  readEvents(after: number, most: { readonly events: number; readonly bytes: number }): Promise<readonly StoredEvent[]>;
  /**
   * Adds rows to `events`, their changes to the views, and rows to operational tables. Where the payloads are `spent`,
   * each has its own memory and nobody reads it afterwards: it may be given back.
   */
  write(events: readonly StoredEvent[], changes: RowChanges, inserts?: Inserts, spent?: boolean): Promise<void>;
}

export type Inserts = ReadonlyMap<InsertedTable, readonly InsertedRow[]>;
export type InsertedRow = Readonly<Record<string, string | number | Uint8Array>>;

export interface OperationContext {
  readonly session: LogSession;
  readonly registryId: string;
  readonly clock: Clock;
}

/**
 * Runs an operation, or a set, on top of `head` and writes what it appended; gives its output and the log's new head.
 * When it throws, the caller rolls back to before it and continues with the head that it had. What is written at its
 * end is waited for here, or left to `leave`. The values of `head` are looked at when something is appended.
 */
export async function runOperation<R>(
  context: OperationContext,
  head: LogHead,
  body: (transaction: Transaction) => Promise<R>,
  leave?: (written: Promise<void>) => void,
): Promise<{ readonly output: R; readonly head: LogHead }> {
  const { session } = context;
  let time: Timestamp | undefined;
  const now = (): Timestamp => (time ??= context.clock.now());
  let last = head;
  let unwritten: StoredEvent[] = [];
  let inserts = new Map<InsertedTable, InsertedRow[]>();
  let ended = false;

  const flush = async (): Promise<void> => {
    if (unwritten.length === 0 && inserts.size === 0) return;
    const events = unwritten;
    const rows = inserts;
    unwritten = [];
    inserts = new Map();
    const changes = createRowChanges();
    for (const event of events) for (const change of fold(event)) changes.add(change);
    await session.write(events, changes, rows, true);
  };

  const transaction: Transaction = {
    sql: session.sql,
    // Not before it is asked for: what is read first may have to wait for the log.
    get now() {
      return now();
    },
    registryId: context.registryId,
    newId: context.clock.newId,
    append(event: NewEvent) {
      if (ended) throw new TypeError('an operation appended an event after it had ended');
      const sealed = linkEvent(last, now(), event);
      unwritten.push(sealed);
      last = sealed;
      return sealed.sequence;
    },
    insert(table, row) {
      if (ended) throw new TypeError('an operation inserted a row after it had ended');
      const rows = inserts.get(table) ?? [];
      rows.push(row as InsertedRow);
      inserts.set(table, rows);
    },
    flush,
  };

  try {
    const output = await body(transaction);
    const written = flush();
    if (leave === undefined) await written;
    else leave(written);
    return { output, head: { sequence: last.sequence, chain_digest: last.chain_digest } };
  } finally {
    ended = true;
  }
}

import type { Kysely } from '#kysely';
import { type LogHead, linkEvent, type NewEvent, type StoredEvent } from '../kernel/log/event.ts';
import { fold } from '../kernel/views/fold.ts';
import type { Clock } from './clock.ts';
import type { Transaction, WriteOperation } from './DATABASE.ts';
import { createRowChanges, type RowChanges } from './row-changes.ts';
import type { Schema } from './schema.ts';

/**
 * A connection with an open transaction that holds the log: what a dialect gives to the parts that are the same in all.
 */
export interface LogSession {
  readonly sql: Kysely<Schema>;
  /** The events after one sequence and up to another, in order. */
  readEvents(after: number, through: number): Promise<readonly StoredEvent[]>;
  /** Adds rows to `events` and their changes to the views. */
  write(events: readonly StoredEvent[], changes: RowChanges): Promise<void>;
}

export interface OperationContext {
  readonly session: LogSession;
  readonly registryId: string;
  readonly clock: Clock;
}

/**
 * Runs one operation on top of `head` and writes what it appended; gives its output and the log's new head. When it
 * throws, the caller rolls back to before it and continues with the head that it had.
 */
export async function runOperation(
  context: OperationContext,
  head: LogHead,
  operation: WriteOperation,
  input: unknown,
): Promise<{ readonly output: unknown; readonly head: LogHead }> {
  const { session } = context;
  const now = context.clock.now();
  let last = head;
  let unwritten: StoredEvent[] = [];
  let ended = false;

  const flush = async (): Promise<void> => {
    if (unwritten.length === 0) return;
    const events = unwritten;
    unwritten = [];
    const changes = createRowChanges();
    for (const event of events) for (const change of fold(event)) changes.add(change);
    await session.write(events, changes);
  };

  const transaction: Transaction = {
    sql: session.sql,
    now,
    registryId: context.registryId,
    newId: context.clock.newId,
    append(event: NewEvent) {
      if (ended) throw new TypeError('an operation appended an event after it had ended');
      const sealed = linkEvent(last, now, event);
      unwritten.push(sealed);
      last = sealed;
      return sealed.sequence;
    },
    flush,
  };

  try {
    const output = await operation(transaction, input as never);
    await flush();
    return { output, head: { sequence: last.sequence, chain_digest: last.chain_digest } };
  } finally {
    ended = true;
  }
}

import type { LogHead, StoredEvent } from '../../kernel/log/event.ts';
import type { Timestamp } from '../../kernel/time.ts';
import { eventColumns } from '../columns.ts';
import type { LogSession } from '../transaction.ts';
import type { SqliteConnection } from './connection.ts';
import { sqliteQueries } from './dialect.ts';
import { rowInserts, rowWrites, writeRows } from './row-writes.ts';

const eventNames = Object.keys(eventColumns);
const insertEvent = `insert into events (${eventNames.join(', ')}) values (${eventNames.map(() => '?').join(', ')})`;
const selectEvents = `select ${eventNames.join(', ')} from events where sequence > ? order by sequence limit ?`;

export function sqliteSession(connection: SqliteConnection): LogSession {
  return {
    sql: sqliteQueries(connection),
    async readEvents(after, most) {
      const events: StoredEvent[] = [];
      let bytes = 0;
      for (const row of connection.prepareArrays(selectEvents).iterate(after, most.events)) {
        const event = storedEvent(row as unknown as EventRow);
        events.push(event);
        bytes += event.payload.length;
        if (bytes >= most.bytes) break;
      }
      return events;
    },
    async write(events, changes, inserts) {
      if (events.length > 0) writeEvents(connection, events);
      for (const rows of rowWrites(changes)) writeRows(connection, rows);
      for (const [table, rows] of inserts ?? []) writeRows(connection, rowInserts(table, rows));
    },
  };
}

/** Undefined where it was lost. */
export function readHead(connection: SqliteConnection): LogHead | undefined {
  return connection.prepare('select sequence, chain_digest from log_head where id = 1').get() as LogHead | undefined;
}

type EventRow = readonly [number, Timestamp, string, string, string, string, Uint8Array, Uint8Array, Uint8Array];

/** Objects of one shape, from rows as arrays: faster to make and to read than those that the driver makes. */
function storedEvent(row: EventRow): StoredEvent {
  const [sequence, created_at, event_type, subject_kind, subject_id, actor, payload, payload_digest, chain_digest] = row;
  return { sequence, created_at, event_type, subject_kind, subject_id, actor, payload, payload_digest, chain_digest };
}

function writeEvents(connection: SqliteConnection, events: readonly StoredEvent[]): void {
  const statement = connection.prepare(insertEvent);
  for (const event of events)
    statement.run(
      event.sequence,
      event.created_at,
      event.event_type,
      event.subject_kind,
      event.subject_id,
      event.actor,
      event.payload,
      event.payload_digest,
      event.chain_digest,
    );
}

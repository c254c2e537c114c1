import type { LogHead, StoredEvent } from '../../kernel/log/event.ts';
import type { Timestamp } from '../../kernel/time.ts';
import { eventColumns } from '../columns.ts';
import type { LogSession } from '../transaction.ts';
import type { SqliteConnection } from './connection.ts';
import { sqliteQueries } from './dialect.ts';
import { rowInserts, rowWrites, writeRows } from './row-writes.ts';

const eventNames = Object.keys(eventColumns);
const insertEvent = `insert into events (${eventNames.join(', ')}) values (${eventNames.map(() => '?').join(', ')})`;
/**
 * SQLite copies what it is given, and copies that into the row. A long payload is given to it by the first function,
 * and when SQLite has its own copy, the second gives ours back: three times 50 MB are never held at once.
 */
const insertLongEvent =
  `insert into events (${eventNames.join(', ')}) ` +
  `values (${eventNames.map((name) => ({ payload: 'long_payload()', chain_digest: 'without_long_payload(?)' })[name] ?? '?').join(', ')})`;
const longPayload = 1_048_576;
const selectEvents = `select ${eventNames.join(', ')} from events where sequence > ? order by sequence limit ?`;

export function sqliteSession(connection: SqliteConnection): LogSession {
  const writeEvents = eventWriter(connection);
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
    async write(events, changes, inserts, spent = false) {
      writeEvents(events, spent);
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

function eventWriter({ database, prepare }: SqliteConnection): (events: readonly StoredEvent[], spent: boolean) => void {
  let long: Uint8Array | undefined;
  // Not deterministic, so that SQLite calls each where it stands in the row.
  database.function('long_payload', { directOnly: true }, () => long!);
  database.function('without_long_payload', { directOnly: true }, (value) => {
    if (long?.buffer instanceof ArrayBuffer) long.buffer.transfer(0);
    long = undefined;
    return value;
  });
  return (events, spent) => {
    for (const event of events) {
      const { sequence, created_at, event_type, subject_kind, subject_id, actor, payload, payload_digest, chain_digest } = event;
      const before = [sequence, created_at, event_type, subject_kind, subject_id, actor] as const;
      if (!spent || payload.length < longPayload) prepare(insertEvent).run(...before, payload, payload_digest, chain_digest);
      else {
        long = payload;
        prepare(insertLongEvent).run(...before, payload_digest, chain_digest);
      }
    }
  };
}

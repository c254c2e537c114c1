import type { StatementSync } from 'node:sqlite';
import type { LogHead, StoredEvent } from '../../kernel/log/event.ts';
import type { Timestamp } from '../../kernel/time.ts';
import { type ViewTable, viewKeys } from '../../kernel/views/view.ts';
import { eventColumns, insertedColumns, keptTables, viewColumns } from '../columns.ts';
import type { InsertedTable } from '../DATABASE.ts';
import type { RowChange } from '../row-changes.ts';
import type { InsertedRow, LogSession } from '../transaction.ts';
import type { SqliteConnection, SqlValue } from './connection.ts';
import { sqliteQueries } from './dialect.ts';

const insertEvent = insertSql('events', Object.keys(eventColumns));
const selectEvents = `select ${Object.keys(eventColumns).join(', ')} from events where sequence > ? order by sequence limit ?`;
const insertOf = new Map(
  Object.entries({ ...viewColumns, ...insertedColumns }).map(([table, kinds]) => {
    const columns = Object.keys(kinds);
    return [table, { columns, text: insertSql(table, columns) }];
  }),
);

/** Writes row by row with prepared statements: in one process, nothing is faster. */
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
      for (const [table, rows] of changes.tables) writeRows(connection, table, rows.values());
      for (const [table, rows] of inserts ?? []) insertRows(connection, table, rows);
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

function insertRows(connection: SqliteConnection, table: InsertedTable, rows: readonly InsertedRow[]): void {
  const { columns, text } = insertOf.get(table)!;
  const statement = connection.prepare(keptTables.has(table) ? `${text} on conflict do nothing` : text);
  for (const row of rows) statement.run(...columns.map((column) => row[column]!));
}

function writeRows(connection: SqliteConnection, table: ViewTable, changes: Iterable<RowChange>): void {
  const { columns, text } = insertOf.get(table)!;
  let inserting: StatementSync | undefined;
  let upserting: { readonly shape: string; readonly statement: StatementSync } | undefined;
  for (const change of changes) {
    if (change.kind === 'patch') {
      patch(connection, table, change);
      continue;
    }
    const values: SqlValue[] = new Array(columns.length);
    for (let index = 0; index < columns.length; index++) values[index] = change.row[columns[index]!]!;
    if (change.kind === 'insert') {
      inserting ??= connection.prepare(text);
      inserting.run(...values);
    } else {
      const shape = [...change.columns].join();
      if (upserting?.shape !== shape) upserting = { shape, statement: connection.prepare(`${text}${onConflict(table, change.columns)}`) };
      upserting.statement.run(...values);
    }
  }
}

function onConflict(table: ViewTable, columns: ReadonlySet<string>): string {
  const updates = Array.from(columns, (column) => `${column} = excluded.${column}`);
  return ` on conflict (${viewKeys[table].join(', ')}) do update set ${updates.join(', ')}`;
}

function patch(connection: SqliteConnection, table: ViewTable, change: Extract<RowChange, { kind: 'patch' }>): void {
  const set = Object.keys(change.set);
  const by = Object.keys(change.by);
  const key: readonly string[] = viewKeys[table];
  const assignments = [...set.map((column) => `${column} = ?`), ...by.map((column) => `${column} = ${column} + ?`)];
  connection
    .prepare(`update ${table} set ${assignments.join(', ')} where ${key.map((column) => `${column} = ?`).join(' and ')}`)
    .run(
      ...set.map((column) => change.set[column]!),
      ...by.map((column) => change.by[column]!),
      ...key.map((column) => change.key[column]!),
    );
}

function insertSql(table: string, columns: readonly string[]): string {
  return `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`;
}

import type { StatementSync } from 'node:sqlite';
import type { StoredEvent } from '../kernel/event.ts';
import { type ViewTable, viewKeys } from '../kernel/view.ts';
import { eventColumns, viewColumns } from './columns.ts';
import type { RowChange } from './row-changes.ts';
import type { SqliteConnection, SqlValue } from './sqlite-connection.ts';
import { sqliteQueries } from './sqlite-dialect.ts';
import type { LogSession } from './transaction.ts';

const insertEvent = insertSql('events', Object.keys(eventColumns));
const insertRow = new Map(Object.entries(viewColumns).map(([table, columns]) => [table, insertSql(table, Object.keys(columns))]));

/** Writes row by row with prepared statements: in one process, nothing is faster. */
export function sqliteSession(connection: SqliteConnection): LogSession {
  return {
    sql: sqliteQueries(connection),
    async write(events, changes) {
      if (events.length > 0) {
        const statement = connection.prepare(insertEvent);
        for (const event of events) runEvent(statement, event);
      }
      for (const [table, rows] of changes.tables) for (const change of rows.values()) apply(connection, table, change);
    },
  };
}

function runEvent(statement: StatementSync, event: StoredEvent): void {
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

function apply(connection: SqliteConnection, table: ViewTable, change: RowChange): void {
  if (change.kind === 'patch') {
    const set = Object.keys(change.set);
    const by = Object.keys(change.by);
    const key = viewKeys[table];
    const assignments = [...set.map((column) => `${column} = ?`), ...by.map((column) => `${column} = ${column} + ?`)];
    connection
      .prepare(`update ${table} set ${assignments.join(', ')} where ${key.map((column) => `${column} = ?`).join(' and ')}`)
      .run(
        ...set.map((column) => change.set[column]!),
        ...by.map((column) => change.by[column]!),
        ...key.map((column) => change.key[column]!),
      );
    return;
  }
  const columns = Object.keys(viewColumns[table]);
  const values = columns.map((column) => change.row[column] as SqlValue);
  const insert = insertRow.get(table)!;
  if (change.kind === 'insert') {
    connection.prepare(insert).run(...values);
    return;
  }
  const updates = [...change.columns].map((column) => `${column} = excluded.${column}`);
  connection.prepare(`${insert} on conflict (${viewKeys[table].join(', ')}) do update set ${updates.join(', ')}`).run(...values);
}

function insertSql(table: string, columns: readonly string[]): string {
  return `insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`;
}
